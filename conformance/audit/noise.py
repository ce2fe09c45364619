"""Errors of a measured size: as large as the budget allows, which must pass, and twice that, which must not."""

from __future__ import annotations

from typing import Any

import numpy as np
from msgspec import UNSET

from conformance.audit.defect import Defects, Right
from conformance.casefile.expressions import Comparison
from conformance.casefile.variants import Variant
from conformance.judging.answers import Answer
from conformance.judging.findings import Channel

defects = Defects()

NOISY = (
    "softmax",
    "log_softmax",
    "sigmoid",
    "log_sigmoid",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "sum",
    "mean",
    "exp",
    "log",
)


def off_by(answer: Answer, share: float) -> np.ndarray:
    """The exact values, brought nearer to zero by a share of their budgets.

    Rounded so that an error of the whole budget is never exceeded, and one of twice the budget never fallen short of
    by more than the dtype makes it. Nothing passes zero, and results that have no rounding error stay: of these a case
    may state what they are.
    """
    exact, budget = answer.values, answer.budget
    assert exact is not None
    assert budget is not None
    sign = np.where(exact.units + exact.residual < 0, -1.0, 1.0)
    outward = exact.residual * sign
    # In whole units of the last place, which the dtype holds all the way to zero.
    steps = np.floor(budget - outward) if share <= 1 else np.ceil(share * budget - outward)
    units = np.maximum(np.abs(exact.units) - steps, 0.0)
    moved = np.ldexp(sign * units, exact.quantum).astype(exact.value.dtype)
    kept = (exact.residual == 0) | ~np.isfinite(exact.value.astype(np.float64)) | (exact.units == 0)
    if answer.special is not None:
        kept = kept | answer.special
    return np.where(kept, exact.value, moved)


def decided_by_budgets(variant: Variant) -> bool:
    """Whether a result within its budget is enough: not where a case states values, or an order of two sides."""
    case = variant.case
    relations = case.expression.relations if isinstance(case.expression, Comparison) else ()
    return case.expect.values is UNSET and set(relations) <= {"=="}


def _noise(operation: str, share: float) -> None:
    harmless = share <= 1
    words = "an error of the whole budget" if harmless else "an error of twice the budget"

    channels: tuple[Channel, ...] = () if harmless else ("value",)

    @defects.spelling(operation, words, *channels, harmless=harmless, concerns=decided_by_budgets if harmless else None)
    def _(right: Right, **arguments: Any) -> Any:
        result = right(**arguments)
        answer = right.exact(**arguments)
        if answer.values is None or answer.budget is None or np.asarray(result).dtype != answer.values.value.dtype:
            return result
        return off_by(answer, share)


for _operation in NOISY:
    _noise(_operation, 1.0)
    _noise(_operation, 2.0)
