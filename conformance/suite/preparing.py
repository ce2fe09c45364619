"""What has to be made of a variant before any backend can run it: its inputs and its program."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from conformance.casefile.expressions import names_in
from conformance.casefile.formulas import FORMULAS, Formula, written_out
from conformance.casefile.inputs import materialise
from conformance.casefile.variants import Variant
from conformance.execution.program import Program, compile_variant
from conformance.judging.formulas import Written


@dataclass(slots=True)
class Prepared:
    """A variant's inputs and program, the same for every mode."""

    variant: Variant
    inputs: dict[str, np.ndarray]
    program: Program


@dataclass(slots=True)
class _CaseInHand:
    """What the variants and modes of one case share; the next case takes its place."""

    id: str
    names_dtype: bool
    programs: dict[str, Program] = field(default_factory=dict)
    prepared: dict[str, Prepared] = field(default_factory=dict)
    written: dict[tuple[str, str], Written] = field(default_factory=dict)


class Preparing:
    """Prepares variants, and remembers those of one case: its modes follow each other."""

    def __init__(self) -> None:
        self._current = _CaseInHand("", False)

    def prepared(self, variant: Variant) -> Prepared:
        """A variant's inputs and program."""
        case = variant.case
        if self._current.id != case.id:
            self._current = _CaseInHand(case.id, "dtype" in names_in(case.expression))
        known = self._current.prepared
        if variant.id not in known:
            known[variant.id] = Prepared(variant, materialise(variant), self._program(variant))
        return known[variant.id]

    def written(self, variant: Variant, idiom: str) -> Written | None:
        """A variant with a formula in place of its operation; None where the spelling is no formula."""
        formula = formula_named(variant, idiom)
        if formula is None:
            return None
        prepared, known = self.prepared(variant), self._current.written
        if (variant.id, idiom) not in known:
            as_written = written_out(variant, formula)
            program = replace(compile_variant(as_written), differentiable=prepared.program.differentiable)
            known[variant.id, idiom] = Written(as_written, program)
        return known[variant.id, idiom]

    def _program(self, variant: Variant) -> Program:
        """The variant's program; variants that differ only in a dtype which their expression doesn't name share one."""
        current = self._current
        key = repr([(k, v) for k, v in variant.bindings.items() if k != "dtype" or current.names_dtype])
        if key not in current.programs:
            current.programs[key] = compile_variant(variant)
        return current.programs[key]


def formula_named(variant: Variant, idiom: str) -> Formula | None:
    """The formula of that name for the operation that a variant calls, if there is one."""
    return FORMULAS.get(variant.case.headline, {}).get(idiom)
