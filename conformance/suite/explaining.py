"""`conformance explain`: one variant, its exact answer, its budget, and every backend's answer beside them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from conformance import backends
from conformance.backends.base import IDIOMS
from conformance.casefile.inputs import materialise
from conformance.casefile.variants import Variant
from conformance.execution.executor import differentiated
from conformance.execution.program import Program, compile_variant
from conformance.judging.answers import Answer, Answers
from conformance.ops import OPERATIONS
from conformance.suite.attempts import Result
from conformance.suite.recording import expectation
from conformance.suite.selection import Selection
from conformance.suite.session import BackendSession
from conformance.truth.balls import UndecidedError, UndefinedError
from conformance.truth.rounding import Rounded
from conformance.words.wording import describe, exact_digits, format_number

_MOST_SHOWN = 12


def explain(selection: Selection, variant: Variant, names: Sequence[str], device: str = "cpu") -> Iterator[str]:
    """The explanation, line by line.

    Args:
        selection: one that holds the variant.
        variant: what to explain.
        names: the backends to ask.
        device: where to ask them.
    """
    inputs, program = materialise(variant), compile_variant(variant)
    yield variant.id
    yield f"  {variant.case.path}:{variant.case.line}"
    yield from (f"  {line}" for line in variant.case.text.splitlines())
    yield ""
    yield "inputs"
    for name, array in inputs.items():
        yield f"  {name}: {array.dtype.name} {list(array.shape)} {numbers(array)}"
    if stated := expectation(variant):
        yield f"expected: {stated}"
    answers = Answers()
    yield from _exact(answers, program, list(inputs.values()))
    if variant.check == "gradient":
        yield from _exact_gradients(answers, program, list(inputs.values()))
    for name in names:
        yield ""
        yield from _backend(BackendSession(name, selection, device), variant)


def numbers(array: np.ndarray) -> str:
    """The first elements of an array."""
    shown = " ".join(format_number(v) for v in array.ravel()[:_MOST_SHOWN])
    return shown + (f" … ({array.size:,} in all)" if array.size > _MOST_SHOWN else "")


def _exact(answers: Answers, program: Program, inputs: list[np.ndarray]) -> Iterator[str]:
    """Each step in exact arithmetic, on the correctly rounded results of the steps before it."""
    for step, answer in zip(program.steps, answers.of_program(program, inputs), strict=False):
        operation = OPERATIONS[step.operation]
        yield ""
        yield f"exact answer of {step.operation} ({operation.document}): {operation.summary}"
        yield from _answer(answer)
        if answer.array is not None:
            yield f"  budget from: {operation.budget_source}"


def _exact_gradients(answers: Answers, program: Program, inputs: list[np.ndarray]) -> Iterator[str]:
    """The gradients of the weighted sum of the result."""
    wrt = differentiated(program, inputs)
    try:
        gradients = answers.of_gradients(program, inputs, [index for _, index in wrt])
    except (UndecidedError, UndefinedError) as reason:
        yield ""
        yield f"exact gradient: none, {reason}"
        return
    for (name, _), answer in zip(wrt, gradients, strict=True):
        yield ""
        yield f"exact gradient with respect to {name}, of the result's elements weighted and summed"
        yield from _rounded(answer.values, answer.budget)


def _answer(answer: Answer) -> Iterator[str]:
    if answer.array is None:
        yield f"  none: {answer.why_not}"
        return
    yield f"  {answer.array.dtype.name} {list(answer.array.shape)}"
    if answer.values is None or answer.budget is None:
        yield f"  {numbers(answer.array)}"
        return
    yield from _rounded(answer.values, answer.budget, answer.special)


def _rounded(values: Rounded, budgets: np.ndarray, special: np.ndarray | None = None) -> Iterator[str]:
    first = values.value.ravel()[:_MOST_SHOWN]
    digits = exact_digits(first, values.residual.ravel()[:_MOST_SHOWN])
    conventional = np.zeros(first.shape, dtype=bool) if special is None else special.ravel()
    for text, value, budget, by_convention in zip(digits, first, budgets.ravel(), conventional, strict=False):
        if by_convention:
            yield f"  {format_number(value):>26}  by convention, exactly"
        else:
            yield f"  {text:>26}  rounded {format_number(value):>14}  budget {budget:.3g} ULP"
    if values.value.size > _MOST_SHOWN:
        yield f"  … ({values.value.size:,} in all)"


def _backend(session: BackendSession, variant: Variant) -> Iterator[str]:
    yield session.name
    for operation in sorted(variant.case.operations & set(session.subject.idioms)):
        yield from (f"    {line}" for line in session.subject.idioms.source(operation).splitlines())
    for mode in session.modes:
        share = session.selection.share(session.name, mode, [variant.case.id])
        for idiom in share.spellings(variant) if mode != IDIOMS or variant.id in share.idioms else ():
            yield from _result(session.run_variant(variant, mode, idiom))


def _result(result: Result) -> Iterator[str]:
    judgement, outcome, variant = result.judgement, result.outcome, result.variant
    measured = judgement.measured
    error = f"  {measured.ulp:.3g} of {measured.budget:.3g} ULP" if measured else ""
    if outcome.raised:
        came = f"{outcome.raised.type}: {outcome.raised.message}"
    else:
        results = list(outcome.gradients.values()) if variant.check == "gradient" else outcome.received[-1:]
        came = ", ".join(map(describe, results))
    yield f"  {result.idiom or result.mode:<7}  {judgement.verdict:<12}{came}{error}"
    if judgement.reason:
        yield f"           {judgement.reason}"


def backend_rows() -> Iterator[tuple[str, ...]]:
    """For each backend: name, versions or what is missing, devices, modes, whether subnormals are flushed, kernels.

    After the kernels that were chosen here come those that the backend can be held to.
    """
    broken = backends.broken()
    for name in backends.names():
        if name in broken:
            yield name, broken[name]
            continue
        kind = backends.load(name)
        missing = kind.not_installed()
        if missing:
            yield name, missing, "", ", ".join(kind.modes)
            continue
        versions = ", ".join(f"{package} {version}" for package, version in kind.versions().items())
        try:
            backend = kind()
            backend.start()
            modes = (*kind.modes, *kind.gpu_modes) if "gpu" in backend.devices() else kind.modes
            flushed = ", ".join(
                f"{mode} {'flushed' if backend.flushes_subnormals(mode) else 'preserved'}" for mode in kind.modes
            )
            held = ", ".join(f"{own} ({choice.about})" for own, choice in kind.kernel_choices().items())
            yield name, versions, ", ".join(backend.devices()), ", ".join(modes), flushed, backend.kernels(), held
        except Exception as error:  # a broken installation must not hide the other backends
            said = f"{versions}; it does not start: {type(error).__name__}: {error}"
            yield name, said, "", ", ".join(kind.modes)
