"""Made-up runs with something of everything that a page may show, and what can be counted in them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np

from conformance.backends.base import IDIOMS
from conformance.runfile import CaseLine, FindingLine, IdiomSource, ModeSummary, Record, Run, Stored, VariantLine

MakeRun = Callable[..., Run]

MODES = {"numpy": ("eager",), "torch": ("eager", "compile"), "jax": ("eager", "jit")}
DEVICES = {"numpy": "cpu", "torch": "gpu", "jax": "cpu"}
SPELLINGS = {"torch": ("Tensor.softmax", "torch.nn.Softmax"), "jax": ("formula: exp(x) / sum(exp(x))",)}

_OPERATIONS = {
    "softmax": {
        "family": "normalising",
        "document": "torch.nn.Softmax(dim)(x)",
        "summary": "exp(x) / sum(exp(x))",
        "budget": "Blanchard, Higham & Higham 2021",
    },
    "stack": {"family": "moving", "document": "torch.stack(tensors, dim)", "summary": "joins along a new axis"},
    "sigmoid": {"family": "pointwise", "document": "torch.nn.Sigmoid()(x)", "summary": "1 / (1 + exp(-x))"},
}
_REASON = {
    "divergent": "float16 results are computed in float32 and rounded twice",
    "unsupported": 'no kernel for "half" on this device',
    "crashed": "the process died with signal 11 (SIGSEGV)",
    "timed-out": "it took more than 60 seconds",
    "failed": "a value is further off than its budget",
}
_LINK = "https://example.org/threads/1"


@dataclass(frozen=True)
class Seen:
    """A variant, with what came of it: the runs' own lines, to count in.

    Attributes:
        line: the variant.
        case: its case.
        primary, beside: its records of primary spellings and of others, each with its run.
    """

    line: VariantLine
    case: CaseLine
    primary: list[tuple[Run, Record]] = field(default_factory=list)
    beside: list[tuple[Run, Record]] = field(default_factory=list)

    def any(self, holds: Callable[[Run, Record], Any]) -> bool:
        """Whether something holds of a record of a primary spelling."""
        return any(holds(run, record) for run, record in self.primary)


def seen(runs: Sequence[Run]) -> dict[str, Seen]:
    """Every variant of some runs, by ID."""
    found: dict[str, Seen] = {}
    for run in runs:
        for part in run.parts():
            for name, line in part.variants.items():
                found.setdefault(name, Seen(line, part.case))
            for record in part.records:
                one = found[record.variant]
                (one.beside if record.mode == IDIOMS else one.primary).append((run, record))
    return found


# What comes of a variant, by the number of its kind: backend and mode, and what is not as it must be there.
_KINDS: list[dict[tuple[str, str], str]] = [
    {},
    {("jax", "jit"): "bits"},
    {("jax", "eager"): "divergent", ("jax", "jit"): "divergent"},
    {("torch", "compile"): "failed"},
    {("jax", "jit"): "nan"},
    {("torch", "eager"): "unsupported", ("torch", "compile"): "unsupported"},
    {("numpy", "eager"): "raised"},
    {("torch", "compile"): "crashed", ("jax", "jit"): "timed-out"},
    {("numpy", "eager"): "divergent", ("jax", "eager"): "divergent"},
]


def made_up(make_run: MakeRun, shift: int = 0) -> list[Run]:
    """Runs of three backends in five modes, with every verdict, several channels, gradients, a curve and spellings.

    It has more cases than a list shows at first, and a case with more variants than that shows at first. What is wrong
    with which variant is another thing with every `shift`.
    """
    lines, cases, kinds = _variants()
    curve, curve_case = _curve()
    lines[curve.id], cases[curve_case.id] = curve, curve_case
    runs = []
    for backend, modes in MODES.items():
        records: list[Record] = []
        for number, (name, line) in enumerate(lines.items()):
            kind = {} if name == curve.id else _KINDS[(kinds[name] + shift) % len(_KINDS)]
            for mode in modes:
                if mode == "compile" and number % 2 and name != curve.id:
                    continue  # not in its subset
                records.append(_record(line, mode, kind.get((backend, mode), "passed"), number))
            if "softmax" in name:
                records += [
                    _record(line, IDIOMS, "divergent" if number % 5 == i else "passed", number, idiom)
                    for i, idiom in enumerate(SPELLINGS.get(backend, ()))
                ]
        runs.append(
            make_run(
                backend,
                records,
                variants=lines,
                cases=cases,
                device=DEVICES[backend],
                operations=_OPERATIONS,
                modes=_modes(records, len(lines)),
                idioms=[
                    *(IdiomSource(op, f"def {op}(x, axis):\n    return {backend}.{op}(x, axis)") for op in _OPERATIONS),
                    *(
                        IdiomSource("softmax", f"def other(x, axis):\n    return x  # {idiom}", idiom)
                        for idiom in SPELLINGS.get(backend, ())
                    ),
                ],
            )
        )
    return runs


def _modes(records: Sequence[Record], variants: int) -> list[ModeSummary]:
    found = []
    for mode in dict.fromkeys(record.mode for record in records):
        number = sum(record.mode == mode for record in records)
        if mode == "compile":
            found.append(ModeSummary(mode, number, variants - number, "each shape is compiled anew", subset=("ops/*",)))
        else:
            found.append(ModeSummary(mode, number, flushes_subnormals=False))
    return found


def _variants() -> tuple[dict[str, VariantLine], dict[str, CaseLine], dict[str, int]]:
    lines: dict[str, VariantLine] = {}
    cases: dict[str, CaseLine] = {}
    kinds: dict[str, int] = {}

    def add(case: str, call: str, labels: list[str], **fields: Any) -> None:
        operation = case.split("/")[1]
        text = f"  - name: {case.split('/')[-1]}\n    call: {call}"
        about = f"What {operation} does."
        cases[case] = CaseLine(case, operation, f"{case.rsplit('/', 1)[0]}.yaml", text, about, call, "==" in call)
        for label in labels:
            name = f"{case}[{label}]"
            kinds[name] = len(lines) % len(_KINDS)
            lines[name] = _line(name, case, label.split(",")[0], len(lines), **fields)

    dtypes = ("float16", "float32", "float64")
    add("ops/softmax/wide-range", "softmax(x, axis=axis)", [f"{d},axis={a}" for d in dtypes for a in range(44)])
    add("ops/softmax/slope", "softmax(x)", [f"{d},gradient" for d in dtypes], check="gradient")
    add("ops/softmax/sums-to-one", "sum(softmax(x)) == 1", ["float32"], truth="claim", answer=None)
    add("ops/softmax/refused", "softmax(x, axis=5)", ["float32"], truth="refusal", answer=None, expected="an error")
    for number in range(70):
        add(f"ops/stack/case-{number}", "stack([x, x], axis=0)", ["int64"], truth="convention")
    return lines, cases, kinds


def _line(name: str, case: str, dtype: str, number: int, **fields: Any) -> VariantLine:
    rng = np.random.default_rng(number)
    x = rng.integers(-9, 9, (3, 5)) if dtype == "int64" else rng.normal(size=(3, 5)).astype(dtype)
    residuals = [] if dtype == "int64" else [0.25] * 8
    told = {"truth": "arithmetic", "answer": Stored.of(x), "residuals": residuals, "budget_source": "Higham 2002"}
    return VariantLine(name, case, dtype, {"x": Stored.of(x)}, **(told | fields))  # type: ignore[arg-type]


def _record(line: VariantLine, mode: str, what: str, number: int, idiom: str = "") -> Record:
    x = (line.answer or line.inputs["x"]).array()
    floating = line.dtype.startswith("float")
    here: dict[str, Any] = {"got": [Stored.of(x)], "idiom": idiom}
    if floating:
        here |= {"ulp": number % 4 / 4, "budget": 4.0, "at": [0, 1]}
    if what == "passed":
        return Record(line.id, mode, "passed", **here)
    if what == "bits":
        return Record(line.id, mode, "passed", **here | {"got": [Stored.of(_off(x, 1))]})
    if what == "raised":
        finding = FindingLine("status", "a result", "an error")
        return Record(line.id, mode, "failed", "", [finding], raised="IndexError: no such axis", idiom=idiom)
    if what == "nan":
        other = x.copy()
        other[0, 1] = np.nan if floating else 0
        finding = FindingLine("nan-inf", "0.25", "nan", "at [0, 1]", 1)
        return Record(line.id, mode, "failed", "NaN", [finding], [Stored.of(other)], idiom=idiom)
    if what in ("unsupported", "crashed", "timed-out"):
        return Record(line.id, mode, what, _REASON[what], idiom=idiom)
    here["got"] = [Stored.of(_off(x, 6))]
    if floating:
        here |= {"ulp": 6.25}
    if what == "divergent":
        return Record(line.id, mode, what, _REASON[what], [FindingLine("value", "≤ 4", "6.25")], link=_LINK, **here)
    return Record(line.id, mode, what, _REASON[what], [FindingLine("value", "≤ 4 ULP", "6.25 ULP")], **here)


def _off(x: np.ndarray, steps: int) -> np.ndarray:
    """With one element so many steps off."""
    other = x.copy()
    for _ in range(steps):
        other[0, 1] = np.nextafter(other[0, 1], np.inf) if x.dtype.kind == "f" else other[0, 1] + 1
    return other


def _curve() -> tuple[VariantLine, CaseLine]:
    x = np.linspace(-8, 8, 41).astype(np.float32)
    exact = (1 / (1 + np.exp(-x.astype(np.float64)))).astype(np.float32)
    name = "document/sigmoid/curve"
    case = CaseLine(name, "sigmoid", "document/sigmoid.yaml", "- name: curve", "", "sigmoid(x)", False, "curve")
    told: dict[str, Any] = {"truth": "document", "budget_source": "Higham 2002"}
    return VariantLine(f"{name}[float32]", name, "float32", {"x": Stored.of(x)}, Stored.of(exact), [0.0], **told), case


HOSTILE = (
    "<script>alert(1)</script>",
    '"]]>',
    "</script><img src=x onerror=alert(1)>",
    "<!--",
    "' onclick='alert(1)",
    "a & b &amp; c",
    "50% #1 ?x=1&v=2",
    'say "no" | \\ or * so',
    "two\nlines\r\nor\tmore",
    "\u202eright to left\u2066",
    "\u2028é ∑ 😀",
    "__proto__",
)
"""Names as nobody should choose them; pages show them as they are."""


def hostile(make_run: MakeRun) -> list[Run]:
    """Runs in which every text is one that tries to be something else."""
    return [_hostile(make_run, "one"), _hostile(make_run, "two")]


def _hostile(make_run: MakeRun, suffix: str) -> Run:
    lines, cases, records = {}, {}, []
    array = Stored.of(np.arange(12, dtype=np.float32))
    for bad in HOSTILE:
        case = CaseLine(f"ops/{bad}/{bad}", bad, bad, bad, bad, bad, False)
        cases[case.id] = case
        finding = [FindingLine(bad, bad, bad, bad)]
        for number, verdict in enumerate(("divergent", "failed", "unsupported", "passed")):
            name = f"{case.id}[{bad},{number}]"
            lines[name] = VariantLine(name, case.id, bad, {bad: array}, array, [0.0], bad, bad, truth=bad)
            told = Record(name, "eager", verdict, bad, finding, [array], bad, 1.0, 4.0, [1], link=bad, step=f"1, {bad}")
            if verdict == "unsupported":
                told = Record(name, "eager", verdict, bad, link=bad, step=f"1, {bad}")
            elif verdict == "passed":
                told = msgspec.structs.replace(told, reason="", findings=[])
            records += [told, msgspec.structs.replace(told, mode=IDIOMS, idiom=bad)]
    first = HOSTILE[0]
    return make_run(
        first + suffix,
        records,
        variants=lines,
        cases=cases,
        versions={bad: bad for bad in HOSTILE},
        environment={"python": first, "system": first, "processor": first} | {bad: bad for bad in HOSTILE},
        operations={bad: {"document": bad, "summary": bad, "budget": bad, "slack": bad} for bad in HOSTILE},
        idioms=[IdiomSource(bad, bad, name, bad) for bad in HOSTILE for name in ("", bad)],
        selection=first,
        started=first,
    )
