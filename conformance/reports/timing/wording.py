"""Times, rates and shapes in words, for the page of timings."""

from __future__ import annotations

from collections.abc import Sequence

_UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))


def seconds(time: float) -> str:
    """A time in three digits and its unit: ``5.05 µs``."""
    size, unit = _unit(time)
    return f"{three(time / size)} {unit}"


def whole(time: float) -> str:
    """A round time: ``10 µs``."""
    size, unit = _unit(time)
    return f"{time / size:.3g} {unit}"


def interval(low: float, high: float) -> str:
    """From one time to another, in the unit of the larger: ``4.99 to 5.12 µs``."""
    size, unit = _unit(high)
    return f"{three(low / size)} to {three(high / size)} {unit}"


def _unit(time: float) -> tuple[float, str]:
    return next((one for one in _UNITS if time >= one[0] * 0.9995), _UNITS[-1])


def three(number: float) -> str:
    """Three significant digits, without an exponent."""
    if number >= 99.95:
        return f"{number:,.0f}"
    return f"{number:.1f}" if number >= 9.995 else f"{number:.2f}"


def rate(bytes_a_second: float) -> str:
    """A rate: ``12.3 GB/s``."""
    return f"{three(bytes_a_second / 1e9)} GB/s"


def share(of_a_copy: float) -> str:
    """How fast beside a copy: ``38 %``."""
    percent = of_a_copy * 100
    return f"{percent:.0f} %" if percent >= 1 else f"{percent:.1g} %"


def size(bytes_: int) -> str:
    """A number of bytes: ``128 MiB``."""
    amount, unit = float(bytes_), "B"
    for larger in ("KiB", "MiB", "GiB"):
        if amount < 1024:
            break
        amount, unit = amount / 1024, larger
    return f"{amount:.0f} {unit}" if amount >= 10 or amount == int(amount) else f"{amount:.1f} {unit}"


def shape(lengths: Sequence[int]) -> str:
    """A shape: ``2×20``."""
    return "×".join(map(str, lengths))


def about(elements: float) -> str:
    """A number of elements that is known to a digit or two: ``12,000``."""
    digits = len(str(int(elements)))
    return f"{round(elements, 2 - digits):,.0f}"


def without(why_not: str) -> str:
    """Why a cell has no times, in a word or two; the whole reason stands elsewhere on the page."""
    for part, word in _SHORT:
        if part in why_not:
            return word
    return "no times"


_SHORT = (
    ("does not conform", "does not conform"),
    ("no gradient", "no gradient"),
    ("narrows", "narrowed"),
    ("before its work is done", "not done yet"),
    ("handed out", "not computed"),
    ("raised", "raised"),
    ("memory", "no memory"),
    ("not installed", "not installed"),
    ("unsupported", "unsupported"),
)
