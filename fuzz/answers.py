"""Fuzzes the exact answers: random valid cases, each element against an oracle that shares no code with the suite.

``python fuzz/answers.py --cases 100000 --seed 1`` makes the same cases everywhere. What is found is made small and
printed as a case that can be put into a case file; the status is then 1. A finding is an exception of the suite's own,
an answer that is missing, or a wrong one: a shape, a rounding, a residual, a special element, a gradient, a verdict on
the right result.
"""

from __future__ import annotations

import argparse
import collections
import math
import sys
import tempfile
import time
import traceback
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any

import made
import numpy as np
import oracle
import oracle_slopes

from conformance.casefile.errors import CaseFileError
from conformance.casefile.inputs import materialise
from conformance.casefile.loader import load
from conformance.casefile.variants import Variant, expand
from conformance.execution.executor import differentiated
from conformance.execution.outcome import Outcome, Raised
from conformance.execution.program import Program, Ref, Refs, Step, compile_variant
from conformance.judging.answers import Answer, Answers
from conformance.judging.judge import Judge
from conformance.truth.balls import UndecidedError, UndefinedError
from conformance.truth.gradient import default_cotangent
from conformance.truth.rounding import Rounded

RESIDUAL = Fraction(1, 1 << 40)
"""ULP by which a residual may be off: four times what the suite states."""
NEAR_TIE = Fraction(1, 1 << 60)
"""Closer to a tie than this either neighbour will do: the error is the same."""

FAR_BITS = 42
"""So far below one ULP residuals are not told any more, and a zero has either sign."""


@dataclass
class Found:
    """What was found in a case: its kind, by which it is made small, and in words."""

    kind: str
    what: str


@dataclass
class Tally:
    """What was looked at."""

    cases: int = 0
    refused: int = 0
    elements: int = 0
    slopes: int = 0
    unanswered: collections.Counter[str] = field(default_factory=collections.Counter)


class Fuzzer:
    """Tries cases."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "made.yaml"
        self.tally = Tally()

    def variants(self, case: made.Case) -> list[Variant] | None:
        """The variants of a case; None where the suite refuses it as a mistake."""
        self.path.write_text("cases:\n" + made.text(case))
        try:
            corpus = load(self.path)
            return [variant for one in corpus.cases for variant in expand(one)]
        except CaseFileError:
            return None

    def look(self, case: made.Case) -> Found | None:
        """What is wrong with what the suite makes of a case."""
        step = "loading"
        try:
            variants = self.variants(case)
            if variants is None:
                self.tally.refused += 1
                return None
            for variant in variants:
                step = "inputs"
                inputs, program = list(materialise(variant).values()), compile_variant(variant)
                if found := _inputs(case, inputs):
                    return found
                step = "answers"
                found = self._gradient(program, inputs) if variant.check == "gradient" else self._value(variant, inputs)
                if found:
                    return found
        except Exception as error:
            last = traceback.extract_tb(error.__traceback__)[-1]
            where = f"{Path(last.filename).name}:{last.lineno}"
            return Found(f"exception {type(error).__name__} {last.name}", f"{step}: {error!r} at {where}")
        return None

    def _value(self, variant: Variant, inputs: list[np.ndarray]) -> Found | None:
        program = compile_variant(variant)
        answers = Answers().of_program(program, inputs)
        values: list[Any] = list(inputs)
        for step, answer in zip(program.steps, answers, strict=False):
            if found := self._answer(step, values, answer):
                return found
            values.append(answer.array)
        complete = len(answers) == len(program.steps) and all(a.array is not None for a in answers)
        outcome = Outcome(received=values) if complete else Outcome(raised=Raised("ValueError", "no answer"))
        judged = Judge().judge(variant, program, outcome)
        stated = program.relations or any(a.dtype is None for a in answers)
        if complete and not stated and judged.verdict != "passed":
            return Found("verdict", f"the right result is {judged.verdict}: {judged.reason}")
        return None

    def _answer(self, step: Step, values: list[Any], answer: Answer) -> Found | None:
        name = step.operation
        arguments = _with_defaults(name, step.bind(values))
        if name in ("stack", "reshape", "asarray"):
            due = _moved(name, arguments)
            if due is None or answer.bits is None:
                return None if due is None and answer.bits is None else Found("missing", f"{name}: {answer.why_not}")
            same = answer.bits.shape == due.shape and answer.bits.tobytes() == due.tobytes()
            return None if same else Found("wrong moved", f"{name}: {answer.bits} is not {due}")
        dtype = _due(name, arguments)
        try:
            if dtype is None:
                raise oracle.NoAnswerError("no dtype is due")
            exact = oracle.answer(name, _with_constants(arguments, dtype))
            if step.wraps and dtype in made.SIZES:
                exact = _wrapped(exact, dtype)
            if dtype not in oracle.FORMATS and any(not _fits(v, dtype) for v in exact.ravel()):
                raise oracle.NoAnswerError("does not fit its integer dtype")
        except (oracle.NoAnswerError, ValueError, IndexError, np.exceptions.AxisError) as error:
            self.tally.unanswered[str(error)[:50]] += 1
            known = answer.array is None
            return None if known else Found("answer of nothing", f"{name}: {answer.array}, {error}")
        if answer.array is None:
            return Found("missing", f"{name}: {answer.why_not}; {exact} is due")
        if answer.array.shape != exact.shape or answer.array.dtype.name != dtype:
            return Found("wrong shape or dtype", f"{name}: {answer.array.dtype} {answer.array.shape}")
        self.tally.elements += exact.size
        if answer.values is None:
            same = [int(v) for v in exact.ravel()] == [int(v) for v in answer.array.ravel().tolist()]
            return None if same else Found("wrong integer", f"{name}: {answer.array} is not {exact}")
        special = np.zeros(exact.shape, dtype=bool) if answer.special is None else answer.special
        if answer.budget is None or not np.all(np.isfinite(answer.budget) | special):
            return Found("budget", f"{name}: a budget of {answer.budget}")
        return _compared(name, exact, answer.values, answer.special, dtype)

    def _gradient(self, program: Program, inputs: list[np.ndarray]) -> Found | None:
        (step,) = program.steps
        answers = Answers()
        value = answers.of_step(step, inputs)
        if value.array is None:
            return None
        cotangent = default_cotangent(value.array.shape)
        arguments = _with_defaults(step.operation, step.bind(inputs))
        dtype = value.array.dtype.name
        for name, index in differentiated(program, inputs):
            places = [k for k, v in step.arguments if v == Ref(index)]
            try:
                exact = sum(
                    oracle_slopes.gradient(step.operation, _with_constants(arguments, dtype), place, cotangent)
                    for place in places
                )
                for listed in (v for _, v in step.arguments if isinstance(v, Refs)):
                    exact = exact + oracle_slopes.of_list(listed.indices, index, cotangent, arguments["axis"])
            except oracle.NoAnswerError:
                continue
            try:
                answer = answers.of_gradient(program, [*inputs, value.array], index, {len(inputs): cotangent})
            except (UndefinedError, UndecidedError) as error:
                return Found("missing gradient", f"{step.operation}, {name}: {error}; {exact} is due")
            exact = np.asarray(exact, dtype=object)
            if answer.values.value.shape != exact.shape:
                return Found("gradient's shape", f"{step.operation}, {name}: {answer.values.value.shape}")
            self.tally.slopes += exact.size
            if not np.all(np.isfinite(answer.budget) & (answer.budget >= 0.5) & (answer.reach >= answer.budget)):
                return Found("gradient's budget", f"{step.operation}, {name}: {answer.budget} and {answer.reach}")
            found = _compared(f"gradient of {step.operation}, {name}", exact, answer.values, None, dtype)
            if found:
                return Found("gradient " + found.kind, found.what)
        return None


DEFAULTS: dict[str, dict[str, Any]] = {
    "sum": {"axis": None, "keepdims": False},
    "mean": {"axis": None, "keepdims": False},
    "softmax": {"axis": None},
    "log_softmax": {"axis": None},
    "stack": {"axis": 0},
    "binary_cross_entropy": {"reduction": "mean"},
    "binary_cross_entropy_with_logits": {"reduction": "mean"},
}


def _with_defaults(name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    return DEFAULTS.get(name, {}) | arguments


def _inputs(case: made.Case, inputs: list[np.ndarray]) -> Found | None:
    """Generators stay finite and between their ends."""
    for source, array in zip(case["given"].values(), inputs, strict=True):
        for name in ("uniform", "linspace"):
            if name in source and "put" not in source and array.size:
                bounds = source[name]
                low, high = bounds.get("low", bounds.get("start", 0.0)), bounds.get("high", bounds.get("stop", 1.0))
                wide = array.astype(np.float64)
                reached = wide.max() < high if name == "uniform" else wide.max() <= high
                if not (np.all(np.isfinite(wide)) and wide.min() >= low and reached):
                    return Found("generator", f"{name}: {array}")
    return None


def _moved(name: str, arguments: dict[str, Any]) -> np.ndarray | None:
    try:
        if name == "stack":
            return np.stack(arguments["arrays"], axis=arguments["axis"])
        return np.array(arguments["x"]).reshape(arguments["shape"])
    except (ValueError, IndexError):
        return None


def _fits(value: Any, dtype: str) -> bool:
    info = np.iinfo(dtype)
    return isinstance(value, Fraction) and value.denominator == 1 and info.min <= value <= info.max


def _wrapped(exact: np.ndarray, dtype: str) -> np.ndarray:
    """Integers in so many bits of two's complement; other numbers as they are."""
    bits = made.SIZES[dtype] + (dtype[0] == "i")

    def around(value: Any) -> Any:
        if not isinstance(value, Fraction) or value.denominator != 1:
            return value
        low = value % 2**bits
        return low - 2**bits if dtype[0] == "i" and low >= 2 ** (bits - 1) else low

    return np.array([around(value) for value in exact.ravel()], dtype=object).reshape(exact.shape)


def _due(name: str, arguments: dict[str, Any]) -> str | None:
    """The dtype of a result, by the operations' documentation; None where it says none."""
    found = {v.dtype.name for v in arguments.values() if isinstance(v, np.ndarray)}
    if len(found) != 1 or next(iter(found)).startswith("complex"):
        return None
    only = found.pop()
    if only in oracle.FORMATS:
        return only
    if name == "sum":
        return "int64"
    basic = name in ("negative", "add", "subtract", "multiply") and only != "bool"
    return only if basic else None


def _with_constants(arguments: dict[str, Any], dtype: str) -> dict[str, Any]:
    """Plain operands rounded once to the other side's dtype."""

    def taken(value: float) -> Any:
        if dtype not in oracle.FORMATS:
            return np.array(value, dtype=object) if isinstance(value, int) else np.array(value)
        units, exponent, _ = oracle.rounded(Fraction(value), dtype)
        if abs(units) == 1 << oracle.FORMATS[dtype][0]:
            return np.array(math.copysign(math.inf, units))
        return np.array(float(units * Fraction(2) ** exponent))

    return {k: taken(v) if k in ("a", "b") and not isinstance(v, np.ndarray) else v for k, v in arguments.items()}


def _compared(name: str, exact: np.ndarray, got: Rounded, special: np.ndarray | None, dtype: str) -> Found | None:
    """The first element that is not what the oracle says."""
    for index in np.ndindex(exact.shape):
        due, value = exact[index], float(got.value[index])
        said = f"{name} at {list(index)}: {value!r}, due {due if not isinstance(due, Fraction) else float_of(due)}"
        if not isinstance(due, Fraction):
            same = math.isnan(value) if math.isnan(due) else value == due
            if not same:
                return Found("wrong special", said)
            continue
        if special is not None and special[index]:
            if value != float_of(
                Fraction(oracle.rounded(due, dtype)[0]) * Fraction(2) ** oracle.rounded(due, dtype)[1], dtype
            ):
                return Found("wrong special", said)
            continue
        units, exponent, lost = oracle.rounded(due, dtype)
        if abs(units) == 1 << oracle.FORMATS[dtype][0]:
            if value != math.copysign(math.inf, units):
                return Found("wrong overflow", said)
            continue
        stated = (Fraction(int(got.units[index])) + Fraction(float(got.residual[index]))) * Fraction(2) ** int(
            got.quantum[index]
        )
        tie = abs(abs(lost) - Fraction(1, 2)) < NEAR_TIE
        nearest = float(Fraction(units) * Fraction(2) ** exponent)
        if not tie and value != nearest:
            return Found("wrong rounding", f"{said}, rounded {nearest!r}")
        if abs(stated - due) > RESIDUAL * Fraction(2) ** exponent:
            return Found("wrong residual", f"{said}, {float((stated - due) / Fraction(2) ** exponent)} ULP off")
        signed = abs(due) > Fraction(2) ** (exponent - FAR_BITS) and not name.startswith("gradient")
        if signed and not value and (math.copysign(1, value) < 0) != (due < 0):
            return Found("wrong sign of a zero", said)
    return None


def float_of(value: Fraction, dtype: str = "") -> float:
    """A fraction as a float; infinite where it is too large."""
    if dtype and abs(value) >= Fraction(2) ** (oracle.FORMATS[dtype][1] + 1):
        return math.inf if value > 0 else -math.inf
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def shrunk(fuzzer: Fuzzer, case: made.Case, found: Found, tries: int = 400) -> tuple[made.Case, Found]:
    """The smallest case that is found to be wrong in the same kind."""
    going = True
    while going and tries > 0:
        going = False
        for smaller in made.simpler(case):
            tries -= 1
            again = fuzzer.look(smaller)
            if again is not None and again.kind == found.kind:
                case, found, going = smaller, again, True
                break
            if tries <= 0:
                break
    return case, found


def fuzz(
    cases: int, seed: int, most: int = 20, seconds: float = math.inf
) -> tuple[Tally, dict[str, tuple[made.Case, Found]]]:
    """Try so many cases: what was looked at, and the smallest case of each kind that was found."""
    found: dict[str, tuple[made.Case, Found]] = {}
    until = time.monotonic() + seconds
    with tempfile.TemporaryDirectory() as folder:
        fuzzer = Fuzzer(Path(folder))
        for i in range(cases):
            case = made.Maker(Random(f"{seed} {i}")).case()
            fuzzer.tally.cases += 1
            came = fuzzer.look(case)
            if came is not None and came.kind + came.what.partition(":")[0].partition(" at")[0] not in found:
                case, came = shrunk(fuzzer, case, came)
                found[came.kind + came.what.partition(":")[0].partition(" at")[0]] = case, came
            if len(found) >= most or time.monotonic() > until:
                break
    return fuzzer.tally, found


def main() -> int:
    """Fuzz; 1 where something was found."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cases", type=int, default=100_000, help="default: 100000")
    parser.add_argument("--seed", type=int, default=1, help="default: 1")
    parser.add_argument(
        "--seconds", type=float, default=math.inf, help="end after so long; default: with the last case"
    )
    asked = parser.parse_args()
    start = time.monotonic()
    tally, found = fuzz(asked.cases, asked.seed, seconds=asked.seconds)
    for case, came in found.values():
        print(f"# {came.kind}: {came.what}\n{made.text(case)}")
    took = time.monotonic() - start
    print(f"{tally.cases} cases in {took:.0f} s: {tally.elements} elements and {tally.slopes} of gradients")
    print(f"{tally.refused} cases were refused as mistakes; steps rightly without an answer: {dict(tally.unanswered)}")
    print(f"{len(found)} kinds of findings" if found else "nothing found")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
