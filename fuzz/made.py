"""Random valid cases, as what a case file holds, and simpler ones of a case that was found."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial
from random import Random
from typing import Any

from oracle import FORMATS

Case = dict[str, Any]

SIZES = {"int8": 7, "int16": 15, "int32": 31, "int64": 63, "uint8": 8}
SHAPES: list[list[int]] = [[], [1], [2], [3], [7], [1, 1], [2, 3], [3, 2], [3, 0], [0], [2, 1, 2], [2, 2, 2]]
NAMED = ["max", "-max", "tiny", "-tiny", "smallest_subnormal", "-smallest_subnormal", "eps"]
SPECIAL = [math.nan, math.inf, -math.inf]
PLAIN = [0.0, -0.0, 1.0, -1.0, 0.5, 2.0, 3.0, -20000.0, 0.0009765625, 47.0, 88.0, 104.0, -104.0, 745.0, 16777214.0]
UNARY = ["exp", "log", "sigmoid", "log_sigmoid"]
LOSSES = ["binary_cross_entropy", "binary_cross_entropy_with_logits"]
LAYOUTS = ["contiguous", "transposed", "stepped", "padded", "broadcast"]


def floating(random: Random, dtype: str, special: bool) -> Any:
    """A number: ordinary, of any binade, a plain or a special one."""
    kind = random.random()
    if kind < 0.1 and special:
        return random.choice(SPECIAL)
    if kind < 0.2:
        return random.choice(NAMED)
    if kind < 0.4:
        return random.choice(PLAIN)
    bits, largest = FORMATS[dtype]
    power = random.randint(1 - largest, largest - 1) if kind < 0.6 else random.randint(-8, 8)
    return random.choice([-1, 1]) * math.ldexp(random.getrandbits(bits) | 1, power - bits)


def probability(random: Random, dtype: str) -> Any:
    """A number in [0, 1]."""
    kind = random.random()
    if kind < 0.3:
        return random.choice([0.0, 1.0, 0.5, "tiny", "smallest_subnormal", "eps"])
    bits = FORMATS[dtype][0]
    return math.ldexp(random.getrandbits(bits), -bits) * (1 if kind < 0.8 else 2.0 ** -random.randint(0, 14))


def whole(random: Random, dtype: str) -> Any:
    """An integer, or a truth value."""
    if dtype == "bool":
        return random.random() < 0.5
    most = 2 ** SIZES[dtype]
    low = 0 if dtype == "uint8" else -most
    return random.choice([0, 1, 2, 3, 5, 100, low, most - 1, random.randint(low, most - 1)])


def nested(shape: list[int], one: Callable[[], Any]) -> Any:
    """A nested list."""
    return [nested(shape[1:], one) for _ in range(shape[0])] if shape else one()


class Maker:
    """Makes cases of a seed."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.given: dict[str, Any] = {}
        self.dtype = "float32"

    def case(self) -> Case:
        """One case."""
        r = self.random
        self.given = {}
        kind = r.random()
        self.dtype = r.choice(list(FORMATS))
        if kind < 0.08:
            self.dtype = r.choice([*SIZES, "bool"])
        elif kind < 0.1:
            self.dtype = r.choice(["complex64", "complex128"])
        made: Case = {"name": "made", "given": self.given, "for": {"dtype": [self.dtype]}}
        shape = list(r.choice(SHAPES))
        call = self._floating(shape) if self.dtype in FORMATS else self._whole(shape)
        if r.random() < 0.08:
            return made | {"claim": self._claim(call, shape)}
        made["call"] = call
        if self.dtype in SIZES and r.random() < 0.5:
            return made | {"expect": {"wraps": True}}
        single = call.count("(") <= 1 and not any(c in call for c in ("reshape",))
        if self.dtype in FORMATS and single and r.random() < 0.3 and 0 not in shape:
            made["check"] = ["value", "gradient"]
        return made

    def _claim(self, call: str, shape: list[int]) -> str:
        kind = self.random.random()
        if kind < 0.3:
            return f"shape({call}) == {shape}" if kind < 0.15 else f"{call} == {call}"
        return f"{call} {self.random.choice(['<', '<=', '>', '>=', '=='])} {self.random.choice(['0', '1', '0.5', 'x'])}"

    def _input(self, name: str, shape: list[int], kind: str = "any") -> str:
        r = self.random
        self.given[name] = source = {}
        if self.dtype in FORMATS:
            special = r.random() < 0.4
            likely = partial(probability, r, self.dtype)
            one: Callable[[], Any] = likely if kind == "probability" else partial(floating, r, self.dtype, special)
        elif self.dtype.startswith("complex"):
            one = partial(r.choice, [0.0, 1.5, -2.0, 1e30])
        else:
            one = partial(whole, r, self.dtype)
        if r.random() < 0.2:
            source.update(self._generated(shape, kind))
        elif not shape or 0 in shape:
            source["full"] = {"shape": shape, "value": one()}
        else:
            source["array"] = nested(shape, one)
        if shape and 0 not in shape and r.random() < 0.1 and "linspace" not in source:
            source["put"] = {"at": [r.randrange(n) for n in shape], "value": one()}
        if shape and r.random() < 0.15:
            source["layout"] = r.choice(LAYOUTS[:4])
        return name

    def _generated(self, shape: list[int], kind: str) -> dict[str, Any]:
        r = self.random
        seed = r.randrange(1000)
        if self.dtype not in FORMATS:
            if self.dtype == "bool" or self.dtype.startswith("complex"):
                return {"full": {"shape": shape, "value": self.dtype == "bool" or 1.5}}
            return {"integers": {"shape": shape, "seed": seed, "low": 0, "high": r.choice([1, 9, 100])}}
        if kind == "probability":
            return r.choice(
                [{"uniform": {"shape": shape, "seed": seed}}, {"bernoulli": {"shape": shape, "seed": seed}}]
            )
        largest = math.ldexp(1.0, FORMATS[self.dtype][1])
        wide = r.choice([1.0, 100.0, 1e4, largest])
        return r.choice(
            [
                {"normal": {"shape": shape, "seed": seed, "scale": r.choice([0.1, 3.0, 300.0])}},
                {"uniform": {"shape": shape, "seed": seed, "low": -wide, "high": wide}},
                {"binades": {"shape": shape, "seed": seed}},
                {"linspace": {"start": -wide, "stop": wide, "count": shape[0]}}
                if len(shape) == 1 and shape[0] > 1
                else {"full": {"shape": shape, "value": floating(r, self.dtype, special=False)}},
            ]
        )

    def _axis(self, shape: list[int], left_out: bool) -> str:
        r = self.random
        if left_out and r.random() < 0.3:
            return ""
        rank = max(len(shape), 1)
        return f", axis={r.randrange(-rank, rank)}"

    def _axes(self, shape: list[int]) -> str:
        """What a sum or a mean goes along: an axis, several in any order and from either end, none, or all."""
        r = self.random
        if r.random() < 0.5:
            return self._axis(shape, left_out=True)
        rank = max(len(shape), 1)
        chosen = r.sample(range(rank), r.randint(0, rank))
        return f", axis={[axis - rank if r.random() < 0.4 else axis for axis in chosen]}"

    def _reduced(self, shape: list[int], inner: str) -> str:
        keep = self.random.choice(["", ", keepdims=True", ", keepdims=False"])
        return f"{self.random.choice(['sum', 'mean'])}({inner}{self._axes(shape)}{keep})"

    def _operand(self, shape: list[int]) -> str:
        r = self.random
        kind = r.random()
        if kind < 0.3:
            if self.dtype in FORMATS:
                return r.choice(["2", "0.333", "1e-3", "3.5", "0", "1e5", "0.1"])
            return r.choice(["2", "3", "0.5", "1", "300"])
        if kind < 0.4:
            return "x"
        keep = [n if r.random() < 0.7 else 1 for n in shape][r.randint(0, len(shape)) if kind < 0.6 else 0 :]
        return self._input("y", keep)

    def _arithmetic(self, shape: list[int], inner: str) -> str:
        sides = [inner, self._operand(shape)]
        if self.random.random() < 0.5:
            sides.reverse()
        return f" {self.random.choice('+-*/')} ".join(sides)

    def _floating(self, shape: list[int]) -> str:
        r = self.random
        kind = r.random()
        if kind < 0.25:
            return self._loss(shape)
        self._input("x", shape)
        if kind < 0.42:
            return f"{r.choice(UNARY)}(x)" if r.random() < 0.9 else "-x"
        if kind < 0.58:
            return f"{r.choice(['softmax', 'log_softmax'])}(x{self._axis(shape, left_out=True)})"
        if kind < 0.7:
            return self._reduced(shape, "x")
        if kind < 0.84:
            return self._arithmetic(shape, "x")
        if kind < 0.9:
            return self._moved(shape)
        inner = f"({self._arithmetic(shape, 'x')})" if r.random() < 0.3 else f"{r.choice(UNARY)}(x)"
        if r.random() < 0.5:
            return f"{r.choice(UNARY)}({inner})"
        return f"{r.choice(['softmax', 'log_softmax'])}({inner}, axis=0)" if inner[0] != "(" else inner

    def _moved(self, shape: list[int]) -> str:
        if self.random.random() < 0.5:
            return f"stack([x, x]{self._axis(shape, left_out=True)})"
        return f"reshape(x, [{math.prod(shape)}, 1])"

    def _whole(self, shape: list[int]) -> str:
        self._input("x", shape)
        kind = self.random.random()
        if kind < 0.4:
            return self._moved(shape)
        if kind < 0.6 or self.dtype == "bool" or self.dtype.startswith("complex"):
            return f"sum(x{self._axes(shape)})"
        return "-x" if kind < 0.7 else self._arithmetic(shape, "x")

    def _loss(self, shape: list[int]) -> str:
        r = self.random
        name = r.choice(LOSSES)
        first = "p" if name == LOSSES[0] else "x"
        self._input(first, shape, "probability" if first == "p" else "any")
        self._input("t", shape, "probability" if r.random() < 0.9 else "any")
        call = f"{name}({first}, t"
        for one in ["weight"] if first == "p" else ["weight", "pos_weight"]:
            if r.random() < 0.3:
                cut = r.randint(0, len(shape))
                self._input(one[0], shape[cut:], "any" if r.random() < 0.4 else "probability")
                call += f", {one}={one[0]}"
        return call + r.choice(["", ", reduction='none'", ", reduction='sum'", ", reduction='mean'"]) + ")"


def simpler(case: Case) -> Iterator[Case]:
    """Cases that are simpler in one place each: the largest steps first."""
    if len(case.get("check", [])) > 1:
        yield from (case | {"check": [one]} for one in case["check"])
    for name, source in case["given"].items():
        for smaller in _sources(source):
            yield case | {"given": case["given"] | {name: smaller}}
    if case["for"]["dtype"] == ["float64"]:
        yield case | {"for": {"dtype": ["float32"]}}
    lengths = {len(s["array"]) for s in case["given"].values() if isinstance(s.get("array"), list)}
    if len(lengths) == 1 and (n := lengths.pop()) > 1:  # the same row of all inputs
        for row in range(n):
            cut = {
                name: s | {"array": s["array"][:row] + s["array"][row + 1 :]} if isinstance(s.get("array"), list) else s
                for name, s in case["given"].items()
            }
            yield case | {"given": cut}


def _sources(source: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for optional in ("put", "layout"):
        if optional in source:
            yield {key: value for key, value in source.items() if key != optional}
    if "array" in source:
        yield from (source | {"array": smaller} for smaller in _lists(source["array"]))
    for generator in set(source) - {"array", "put", "layout", "dtype"}:
        shape = source[generator].get("shape")
        for i, n in enumerate(shape or []):
            if n > 1:
                yield source | {generator: source[generator] | {"shape": [*shape[:i], 1, *shape[i + 1 :]]}}


def _lists(values: Any) -> Iterator[Any]:
    if not isinstance(values, list):
        if isinstance(values, float) and values not in (0.0, 1.0):
            yield from (
                one for one in (0.0, 1.0, float(round(values)) if math.isfinite(values) else 0.0) if one != values
            )
        return
    if len(values) > 1:
        yield from (values[:i] + values[i + 1 :] for i in range(len(values)))
    for i, inner in enumerate(values):
        yield from ([*values[:i], one, *values[i + 1 :]] for one in _lists(inner))


def text(case: Case) -> str:
    """A case as an item of a case file's list."""
    head = f"  - name: {case['name']}\n"
    return head + "".join(f"    {key}: {_flow(value)}\n" for key, value in case.items() if key != "name")


def _flow(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_flow(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return '"' + value + '"'
    if isinstance(value, float):
        if not math.isfinite(value):
            return ".nan" if value != value else (".inf" if value > 0 else "-.inf")
        return f'"{value.hex()}"' if abs(value) > 1e15 or 0 < abs(value) < 1e-5 else repr(value)
    return str(value)
