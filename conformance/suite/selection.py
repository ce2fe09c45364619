"""Where the cases are, and what of them a run is about."""

from __future__ import annotations

import difflib
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from conformance import backends
from conformance.backends.base import IDIOMS
from conformance.casefile.expressions import Call, operations_in
from conformance.casefile.loader import Corpus, load
from conformance.casefile.patterns import matches
from conformance.casefile.variants import LoadedCase, Variant, expand
from conformance.ground import limits
from conformance.suite.formula_code import offered
from conformance.words.visible import clipped


def default_root() -> Path:
    """The folder of the cases: beside the package in a checkout, inside it where it was installed."""
    package = Path(__file__).parents[1]
    inside = package / "cases"
    return inside if inside.is_dir() else package.parent / "cases"


class SelectionError(ValueError):
    """What was asked for is not there."""


@dataclass(slots=True)
class Share:
    """What a mode runs.

    Attributes:
        variants: by case ID, in the order of the corpus.
        idioms: where the mode is `IDIOMS`, the spellings that each variant is run in, by its ID.
        left_out: how many variants are not in the mode's declared subset.
        because: why the mode runs a subset.
        subset: the patterns that make it up.
    """

    variants: dict[str, list[Variant]] = field(default_factory=dict)
    idioms: dict[str, list[str]] = field(default_factory=dict)
    left_out: int = 0
    because: str = ""
    subset: list[str] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many results it gives: a variant counts once for each spelling it is run in."""
        return sum(len(self.spellings(v)) for variants in self.variants.values() for v in variants)

    def spellings(self, variant: Variant) -> list[str]:
        """The spellings a variant is run in: the primary one (empty), or, in mode `IDIOMS`, the others."""
        return self.idioms.get(variant.id, [""])


class Selection:
    """The variants that a run is about.

    Attributes:
        corpus: the cases to choose from.
        patterns: of variant IDs; empty for all.
        root: where the cases are, None for those that come with the suite.
        beyond_subsets: whether slow modes run more than their declared subset.
    """

    def __init__(
        self,
        corpus: Corpus,
        variant_patterns: Sequence[str] = (),
        root: Path | None = None,
        beyond_subsets: bool = False,
    ) -> None:
        self.corpus = corpus
        self.beyond_subsets = beyond_subsets
        self.root = root
        self.patterns = tuple(variant_patterns)
        self._cases: dict[str, tuple[LoadedCase, list[Variant]]] = {}
        if long := [pattern for pattern in self.patterns if len(pattern) > limits.PATTERN_CHARACTERS]:
            raise SelectionError(
                f"the pattern '{clipped(long[0], 100)}' has more than {limits.PATTERN_CHARACTERS:,} characters"
            )
        for case in corpus.cases:
            wanted = [v for v in expand(case) if not self.patterns or any(matches(p, v.id) for p in self.patterns)]
            if wanted:
                self._cases[case.id] = (case, wanted)
        for pattern in self.patterns:
            if not any(matches(pattern, v.id) for _, variants in self._cases.values() for v in variants):
                known = [v.id for case in corpus.cases for v in expand(case)]
                raise SelectionError(
                    f"no variant '{pattern}'; {_nearest(pattern, known)}'conformance list' shows all of {self.folder}"
                )

    @property
    def folder(self) -> Path:
        """Where the cases are."""
        return self.root or default_root()

    @property
    def cases(self) -> list[LoadedCase]:
        """The cases with a variant in the selection."""
        return [case for case, _ in self._cases.values()]

    @property
    def variants(self) -> list[Variant]:
        """All variants of the selection."""
        return [variant for _, variants in self._cases.values() for variant in variants]

    def share(self, backend: str, mode: str, case_ids: Sequence[str] | None = None) -> Share:
        """What a mode of a backend runs: everything, or the subset declared for it.

        Args:
            backend: its name.
            mode: its mode.
            case_ids: of these cases only.
        """
        chosen = self._cases.keys() if case_ids is None else case_ids
        subset = next((s for s in self.corpus.subsets if (s.backend, s.mode) == (backend, mode)), None)
        subset = None if self.beyond_subsets else subset
        share = Share(because=subset.because, subset=subset.variants) if subset else Share()
        for case_id in chosen:
            variants = self._cases[case_id][1]
            if mode == IDIOMS:
                spellings = _other_spellings(self._cases[case_id][0], backend)
                variants = variants if spellings else []
                share.idioms |= {variant.id: spellings for variant in variants}
            if subset is not None:
                inside = [v for v in variants if any(matches(p, v.id) for p in subset.variants)]
                share.left_out += sum(len(share.spellings(v)) for v in variants)
                share.left_out -= sum(len(share.spellings(v)) for v in inside)
                variants = inside
            if variants:
                share.variants[case_id] = variants
        return share


def _other_spellings(case: LoadedCase, backend: str) -> list[str]:
    """The spellings, beside the primary one, of the one operation that a case calls.

    A case of more than one operation has none: it would not be said which of them is meant. Nor has one that draws an
    operation's accuracy: what is drawn are the primary spellings.
    """
    call = case.expression
    if (
        case.case.draw == "accuracy"
        or not isinstance(call, Call)
        or any(operations_in(argument) for _, argument in call.arguments)
    ):
        return []
    idioms = backends.load(backend).idioms
    others = idioms.others(call.operation).values()
    given = [name for name, _ in call.arguments]
    named = [spelling.name for spelling in others if spelling.takes(given) and matches(spelling.cases, case.id)]
    return named + [formula.name for formula in offered(idioms, call.operation) if formula.takes(given)]


def _nearest(pattern: str, known: Sequence[str]) -> str:
    """What may have been meant instead of a pattern that matches nothing, ready to be put before another clause."""
    case = pattern.partition("[")[0]
    if not case or set("*?") & set(case):
        return ""
    for wider in (f"{case}[*", f"*{case}*"):
        if found := sum(matches(wider, one) for one in known):
            return f"'{wider}' matches {found:,}; "
    close = difflib.get_close_matches(case, {one.partition("[")[0]: None for one in known}, 1)
    return f"did you mean '{close[0]}[*'? " if close else ""


def check_keyword(expression: str) -> None:
    """Refuse a ``-k`` expression that pytest's parser would not survive: it calls itself for each part.

    Raises:
        SelectionError: it is too long, or has too many parts.
    """
    if len(expression) > limits.PATTERN_CHARACTERS:
        shown = clipped(expression, 100)
        raise SelectionError(f"the -k expression '{shown}' has more than {limits.PATTERN_CHARACTERS:,} characters")
    parts = len(re.findall(r"\(|\bnot\b|\band\b|\bor\b", expression))
    if parts > limits.KEYWORD_PARTS:
        shown = clipped(expression, 100)
        raise SelectionError(f"the -k expression '{shown}' has more than {limits.KEYWORD_PARTS} operators and brackets")


def select(root: Path | None = None, variant_patterns: Sequence[str] = (), beyond_subsets: bool = False) -> Selection:
    """Read the cases under `root` (by default the ones that come with the suite) and choose among them.

    What is asked for both by name and by mode is meant to be run there, whatever the mode's subset: `beyond_subsets`.

    Raises:
        CaseFileError: with every mistake in the case files.
        SelectionError: a pattern matches no variant.
    """
    return Selection(load(root or default_root()), variant_patterns, root, beyond_subsets)


def manifest_digest(variant_ids: Sequence[str]) -> str:
    """SHA-256 over the sorted IDs, so that two runs can tell whether they are about the same variants."""
    return hashlib.sha256("\n".join(sorted(variant_ids)).encode()).hexdigest()
