"""Registered divergences are strict: they hold for exactly what they say, and for nothing else."""

from __future__ import annotations

import platform
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.backends.numpy import NumpyBackend
from conformance.casefile.errors import CaseFileError
from conformance.casefile.loader import load
from conformance.casefile.patterns import matches
from conformance.checking.checking import dead_entries, stray_entries
from conformance.judging.divergences import Registry

NUMPY = {"numpy": "2.4.6"}
RIGHT = dict(NumpyBackend.idioms)
WHY = "because: the maker says so, first-seen: numpy 2.4.6"

CASE = """
  - {name: one, given: {x: [0.0, 1.0]}, for: {dtype: [float32, float64]}, call: sigmoid(x)}
  - {name: other, given: {x: [0.0, 1.0]}, call: exp(x)}
"""


def entry(instead: str, cases: str = "things/one*", more: str = "") -> str:
    return f"  - {{cases: '{cases}', instead: {instead}, {WHY}{', ' + more if more else ''}}}"


def doubled(x: Any) -> Any:
    return RIGHT["sigmoid"](x) * x.dtype.type(2)


def widened(x: Any) -> Any:
    return RIGHT["sigmoid"](x.astype(np.float64))


def test_exactly_the_registered_outcome_is_divergent_with_its_reason(
    on_cases: Callable[..., Any], numpy_with: Callable[..., Any]
) -> None:
    verdicts = on_cases(CASE, numpy_with(sigmoid=widened), entry("{dtype: float64}", more="dtypes: [float32]"))
    judged = verdicts["one[float32]"]
    assert (judged.verdict, judged.reason) == ("divergent", "the maker says so")
    assert [f.channel for f in judged.findings] == ["dtype"]


@pytest.mark.parametrize(
    "instead",
    [
        "{dtype: float64}",
        "{shape: [1]}",
        "{values: [0, 0]}",
        "{ulp: [10, 100]}",
        "{raises: TypeError}",
        "{non-finite: 1}",
        "{zero-signs: true}",
        "{aliases: true}",
    ],
)
def test_an_outcome_that_conforms_fails_and_asks_to_remove_the_entry(
    instead: str, on_cases: Callable[..., Any]
) -> None:
    judged = on_cases(CASE, None, entry(instead))["one[float32]"]
    assert judged.verdict == "failed"
    assert judged.reason.endswith("; got what conforms: fixed, remove the entry")
    (finding,) = judged.findings
    assert (finding.channel, finding.got, finding.detail) == ("registry", "what conforms", "fixed, remove the entry")
    assert finding.expected.startswith("as registered: ")


def test_a_returned_result_that_is_refused_after_all_is_fixed_too(on_cases: Callable[..., Any]) -> None:
    text = "  - {name: one, given: {x: [0.0]}, call: 'softmax(x, axis=4)', expect: raises}"
    judged = on_cases(text, None, entry("{returns: true}"))["one"]
    assert judged.reason.endswith("fixed, remove the entry")


HALVES = np.array([0.25, 0.75])

OUTCOMES: dict[str, tuple[str, Callable[[Any], Any], Callable[[Any], Any], str]] = {
    "dtype": ("{dtype: float64}", widened, lambda x: widened(x).astype(np.float16), "got dtype float16"),
    "shape": ("{shape: [1]}", lambda x: x[:1], lambda x: x[None], "got shape [1, 2]"),
    "values": (
        "{values: [0.25, 0.75]}",
        lambda x: HALVES.astype(x.dtype),
        lambda x: (HALVES + [0, 2.0**-20]).astype(x.dtype),
        "got other values",
    ),
    "ulp": (
        "{ulp: [1.0e+6, 1.0e+7]}",
        lambda x: RIGHT["sigmoid"](x) + x.dtype.type(2.0**-2),
        lambda x: RIGHT["sigmoid"](x) + x.dtype.type(2.0**-16),
        "got an error of 256.3 ULP",
    ),
}


@pytest.mark.parametrize("what", OUTCOMES)
def test_another_wrong_outcome_than_the_registered_one_fails(
    what: str, on_cases: Callable[..., Any], numpy_with: Callable[..., Any]
) -> None:
    instead, registered, another, message = OUTCOMES[what]
    text = "  - {name: one, given: {x: [0.0, 1.0]}, call: sigmoid(x)}"
    assert on_cases(text, numpy_with(sigmoid=registered), entry(instead))["one"].verdict == "divergent"
    judged = on_cases(text, numpy_with(sigmoid=another), entry(instead))["one"]
    assert judged.verdict == "failed"
    assert message in judged.reason
    assert judged.findings[-1].channel == "registry"


@pytest.mark.parametrize(
    ("instead", "sigmoid"),
    [
        ("{dtype: float64}", lambda x: widened(x) * 2),
        ("{dtype: float64}", lambda x: widened(x)[:1]),
        ("{dtype: float64}", lambda x: widened(x) * np.nan),
        ("{shape: [1]}", lambda x: widened(x)[:1]),
        ("{values: [0.25, 0.75]}", lambda x: HALVES),
        ("{ulp: [1.0e+6, 1.0e+7]}", lambda x: np.append(x[:1] + x.dtype.type(0.75), x.dtype.type(np.nan))),
    ],
    ids=["dtype and value", "dtype and shape", "dtype and NaN", "shape and dtype", "values and dtype", "ULP and NaN"],
)
def test_a_deviation_in_a_further_channel_fails(
    instead: str, sigmoid: Callable[[Any], Any], on_cases: Callable[..., Any], numpy_with: Callable[..., Any]
) -> None:
    text = "  - {name: one, given: {x: [0.0, 1.0]}, call: sigmoid(x)}"
    judged = on_cases(text, numpy_with(sigmoid=sigmoid), entry(instead))["one"]
    assert judged.verdict == "failed"
    assert judged.reason.startswith("registered: ")


def test_a_registered_error_in_ulp_does_not_excuse_an_infinity(
    on_cases: Callable[..., Any], numpy_with: Callable[..., Any]
) -> None:
    """An infinite float16 counts as 65536, some 10^8 ULP from a half."""
    text = "  - {name: one, given: {x: [0.0]}, for: {dtype: float16}, call: sigmoid(x)}"
    infinite = numpy_with(sigmoid=lambda x: np.full_like(x, np.inf))
    judged = on_cases(text, infinite, entry("{ulp: [1.0e+6, 1.0e+9]}"))["one"]
    assert judged.reason.endswith("; got also a deviation in nan-inf")


def test_an_integer_dtype_does_not_excuse_wrong_integers(
    on_cases: Callable[..., Any], numpy_with: Callable[..., Any]
) -> None:
    """A sum kept in int8 has a dtype of its own; where it wraps around, its values must be registered as well."""
    text = "  - {name: one, given: {x: [100, 100]}, call: sum(x)}"
    wrapping = numpy_with(sum=lambda x, *, axis=None, keepdims=False: np.sum(x, axis=axis).astype(np.int8))
    judged = on_cases(text, wrapping, entry("{dtype: int8}"))["one"]
    assert judged.reason.endswith("; got also a deviation in value")
    assert on_cases(text, wrapping, entry("{dtype: int8, values: -56}"))["one"].verdict == "divergent"
    assert on_cases(text, wrapping, entry("{dtype: int8, values: -55}"))["one"].verdict == "failed"


def test_registered_values_that_the_dtype_can_not_hold_did_not_come(
    on_cases: Callable[..., Any], numpy_with: Callable[..., Any]
) -> None:
    whole = numpy_with(sigmoid=lambda x: np.zeros(2, dtype=np.int32))
    judged = on_cases(CASE, whole, entry("{values: [0.5, 0.5]}"))["one[float32]"]
    assert judged.reason.endswith("; got other values")
    (finding,) = (f for f in judged.findings if f.channel == "registry")
    assert (finding.expected.startswith("as registered: "), finding.got) == (True, "other values")


def test_registered_values_tell_the_signs_of_zeros_and_know_nan(
    on_cases: Callable[..., Any], numpy_with: Callable[..., Any]
) -> None:
    text = "  - {name: one, given: {x: [0.0, 1.0]}, call: sigmoid(x)}"
    came = numpy_with(sigmoid=lambda x: np.array([-0.0, np.nan], dtype=x.dtype))
    assert on_cases(text, came, entry("{values: [-0.0, .nan]}"))["one"].verdict == "divergent"
    assert on_cases(text, came, entry("{values: [0.0, .nan]}"))["one"].verdict == "failed"
    assert on_cases(text, came, entry("{values: [-0.0, 0.0]}"))["one"].verdict == "failed"


def test_the_registered_error_and_no_other_must_come(
    on_cases: Callable[..., Any], numpy_with: Callable[..., Any]
) -> None:
    def raising(x: Any) -> Any:
        raise NotImplementedError("no kernel")

    text = "  - {name: one, given: {x: [0.0]}, call: sigmoid(x)}"
    backend = numpy_with(sigmoid=raising)
    assert on_cases(text, backend, entry("{raises: NotImplementedError}"))["one"].verdict == "divergent"
    assert "got NotImplementedError" in on_cases(text, backend, entry("{raises: TypeError}"))["one"].reason
    assert "got a result" in on_cases(text, numpy_with(sigmoid=doubled), entry("{raises: TypeError}"))["one"].reason
    for instead in ("{dtype: float64}", "{values: [0]}", "{ulp: [1, 2]}"):
        assert "got NotImplementedError" in on_cases(text, backend, entry(instead))["one"].reason


def test_a_result_where_an_error_is_due_may_be_registered_with_its_shape(
    on_cases: Callable[..., Any], numpy_with: Callable[..., Any]
) -> None:
    text = "  - {name: one, given: {x: [0.0]}, call: 'softmax(x, axis=4)', expect: raises}"
    ignoring = numpy_with(softmax=lambda x, *, axis: x)
    assert on_cases(text, ignoring, entry("{returns: true}"))["one"].verdict == "divergent"
    assert on_cases(text, ignoring, entry("{returns: true, shape: [1]}"))["one"].verdict == "divergent"
    assert on_cases(text, ignoring, entry("{returns: true, shape: []}"))["one"].verdict == "failed"


MEAN_OF_INTEGERS = "  - {name: one, given: {x: [1, 2, 4]}, for: {dtype: int32}, call: mean(x), expect: raises}"
FLATTENED = (
    "  - {name: one, given: {x: {array: [[1.0, 2.0], [3.0, 4.0]], layout: transposed}}, "
    "call: 'reshape(x, shape=[4])', expect: raises}"
)


def test_a_registered_result_in_place_of_an_error_must_be_what_the_definition_says(
    on_cases: Callable[..., Any], numpy_with: Callable[..., Any]
) -> None:
    """Of each dtype that may come: errors are counted in it."""
    returned = entry("{returns: true}")
    for dtype in ("float64", "float32", "float16"):
        right = numpy_with(mean=lambda x, dtype=dtype: np.mean(x, dtype=np.float64).astype(dtype))
        assert on_cases(MEAN_OF_INTEGERS, right, returned)["one"].verdict == "divergent"
        wrong = numpy_with(mean=lambda x, dtype=dtype: np.mean(x[:2], dtype=np.float64).astype(dtype))
        judged = on_cases(MEAN_OF_INTEGERS, wrong, returned)["one"]
        assert judged.reason == "registered: a result, no error; got also a deviation in value"
        nothing = numpy_with(mean=lambda x, dtype=dtype: np.full((), np.nan, dtype=dtype))
        assert on_cases(MEAN_OF_INTEGERS, nothing, returned)["one"].reason.endswith("a deviation in nan-inf")
    assert on_cases(FLATTENED, None, returned)["one"].verdict == "divergent"
    by_columns = numpy_with(reshape=lambda x, shape: x.ravel(order="F"))
    assert on_cases(FLATTENED, by_columns, returned)["one"].reason.endswith("a deviation in value")
    assert on_cases(FLATTENED, by_columns, entry("{returns: true, values: [1, 3, 2, 4]}"))["one"].verdict == "divergent"
    square = numpy_with(reshape=lambda x, shape: x + 0)
    assert on_cases(FLATTENED, square, returned)["one"].reason.endswith("a deviation in shape")


def test_in_a_wider_dtype_than_that_of_the_inputs_such_a_result_may_be_as_near_as_theirs(
    on_cases: Callable[..., Any], numpy_with: Callable[..., Any]
) -> None:
    """Whoever computes a loss in float32, and has it promoted afterwards, makes an error of float32."""
    text = (
        "  - {name: one, given: {p: {array: [0.3], dtype: float32}, y: {array: [1], dtype: int64}}, "
        "call: 'binary_cross_entropy(p, y)', expect: raises}"
    )
    for factor, verdict in ((1.0, "divergent"), (1 + 1e-5, "failed")):
        loss = numpy_with(binary_cross_entropy=lambda p, target, factor=factor: np.float64(-np.log(p[0]) * factor))
        assert on_cases(text, loss, entry("{returns: true}"))["one"].verdict == verdict


def test_an_entry_about_a_result_is_not_about_a_variant_that_expects_an_error(
    on_cases: Callable[..., Any],
) -> None:
    text = "  - {name: one, given: {x: [0.0]}, call: 'softmax(x, axis=4)', expect: raises}"
    assert on_cases(text, None, entry("{dtype: float64}"))["one"].verdict == "passed"


GRADIENT = "  - {name: one, given: {x: [0.0]}, call: sigmoid(x), check: [gradient]}"


def test_values_registered_for_a_gradient_are_those_of_the_gradient(
    on_cases: Callable[..., Any], numpy_with: Callable[..., Any]
) -> None:
    """The sigmoid of 0 is a half, its gradient a quarter; here the gradient comes as a half, or as an eighth."""

    def with_gradient(value: float) -> Any:
        return numpy_with({"gradient": lambda *_: [np.array([value], dtype=np.float32)]})

    assert on_cases(GRADIENT, with_gradient(0.25))["one"].verdict == "passed"
    half = entry("{values: [0.5]}")
    assert on_cases(GRADIENT, with_gradient(0.5), half)["one"].verdict == "divergent"
    assert on_cases(GRADIENT, with_gradient(0.125), half)["one"].verdict == "failed"


SPECIAL = """
  - {name: one, given: {x: [0.0, 1.0, .nan, 2.0, .inf]}, call: sigmoid(x)}
"""


def instead_of(**elements: float) -> Callable[[Any], Any]:
    """A sigmoid with other results at some places."""

    def sigmoid(x: Any) -> Any:
        result = np.array(RIGHT["sigmoid"](x))
        for place, value in elements.items():
            result[int(place[1:])] = value
        return result

    return sigmoid


def test_a_number_of_elements_that_are_wrongly_nan_or_finite_may_be_registered_and_no_other_number(
    on_cases: Callable[..., Any], numpy_with: Callable[..., Any]
) -> None:
    """NaN where a number is due, a number where NaN is, infinity, and NaN where a limit is due: all count."""
    for count, wrong in [
        (1, instead_of(_0=np.nan)),
        (1, instead_of(_2=0.5)),
        (1, instead_of(_4=np.nan)),
        (3, instead_of(_0=np.inf, _1=-np.inf, _2=0.0)),
    ]:
        backend = numpy_with(sigmoid=wrong)
        assert on_cases(SPECIAL, backend, entry(f"{{non-finite: {count}}}"))["one"].verdict == "divergent"
        judged = on_cases(SPECIAL, backend, entry(f"{{non-finite: {count + 1}}}"))["one"]
        assert judged.verdict == "failed"
        assert judged.reason.endswith(f"; got {count} such element{'s' * (count > 1)}")
        between = entry(f"{{non-finite: [{count}, {count + 2}]}}")
        assert on_cases(SPECIAL, backend, between)["one"].verdict == "divergent"
        above = entry(f"{{non-finite: [{count + 1}, {count + 2}]}}")
        assert on_cases(SPECIAL, backend, above)["one"].verdict == "failed"


def test_so_many_nan_do_not_excuse_a_wrong_number_beside_them(
    on_cases: Callable[..., Any], numpy_with: Callable[..., Any]
) -> None:
    backend = numpy_with(sigmoid=instead_of(_0=np.nan, _1=0.75))
    judged = on_cases(SPECIAL, backend, entry("{non-finite: 1}"))["one"]
    assert judged.reason.endswith("; got also a deviation in value")
    both = entry("{non-finite: 1, ulp: [3.0e+5, 4.0e+5]}")
    assert on_cases(SPECIAL, backend, both)["one"].verdict == "divergent"
    widened = numpy_with(sigmoid=lambda x: instead_of(_0=np.nan)(x).astype(np.float64))
    assert on_cases(SPECIAL, widened, entry("{non-finite: 1}"))["one"].verdict == "failed"


def test_moved_elements_that_are_wrongly_nan_count_as_well(
    on_cases: Callable[..., Any], numpy_with: Callable[..., Any]
) -> None:
    text = "  - {name: one, given: {x: [[1.0, .nan, .inf]]}, call: 'reshape(x, shape=[3])'}"
    backend = numpy_with(reshape=lambda x, shape: np.float32([np.nan, 0.0, np.inf]))
    assert on_cases(text, backend, entry("{non-finite: 2}"))["one"].verdict == "divergent"
    assert on_cases(text, backend, entry("{non-finite: 1}"))["one"].verdict == "failed"


ZEROS = "  - {name: one, given: {x: [[-0.0, 1.0, 0.0]]}, call: 'reshape(x, shape=[3])'}"


def test_zeros_of_another_sign_may_be_registered_and_nothing_beside_them(
    on_cases: Callable[..., Any], numpy_with: Callable[..., Any]
) -> None:
    registered = entry("{zero-signs: true}")
    assert on_cases(ZEROS, numpy_with(reshape=lambda x, shape: x.ravel() + 0), registered)["one"].verdict == "divergent"
    assert on_cases(ZEROS, None, registered)["one"].reason.endswith("fixed, remove the entry")
    for wrong, channel in [
        (lambda x, shape: np.abs(x.ravel()) * np.float32(2), "value"),
        (lambda x, shape: x.ravel() + np.float32([0, 0, np.nan]), "nan-inf"),
    ]:
        judged = on_cases(ZEROS, numpy_with(reshape=wrong), registered)["one"]
        assert judged.reason == f"registered: zeros of another sign; got also a deviation in {channel}"


def test_nothing_but_what_is_registered_excuses_the_sign_of_a_zero(
    on_cases: Callable[..., Any], numpy_with: Callable[..., Any]
) -> None:
    unsigned = numpy_with(reshape=lambda x, shape: x.ravel() + 0)
    for instead in ("{ulp: [0, 10]}", "{non-finite: 1}", "{dtype: float32}", "{aliases: true}"):
        assert on_cases(ZEROS, unsigned, entry(instead))["one"].verdict == "failed"


def memory(aliases: str) -> str:
    return f"  - {{name: one, given: {{x: [[1.0]]}}, call: 'reshape(x, shape=[1])', expect: {{aliases: {aliases}}}}}"


def test_a_copy_for_a_view_and_a_view_for_a_copy_may_be_registered(
    on_cases: Callable[..., Any], numpy_with: Callable[..., Any]
) -> None:
    copying = numpy_with(reshape=lambda x, shape: x.ravel().copy())
    assert on_cases(memory("true"), copying, entry("{aliases: false}"))["one"].verdict == "divergent"
    assert on_cases(memory("false"), None, entry("{aliases: true}"))["one"].verdict == "divergent"
    wrong = on_cases(memory("true"), copying, entry("{aliases: true}"))["one"]
    assert wrong.reason == "registered: a view; got a copy"
    assert on_cases(memory("false"), None, entry("{aliases: false}"))["one"].reason.endswith("a copy; got a view")
    assert on_cases(memory("true"), None, entry("{aliases: false}"))["one"].reason.endswith("fixed, remove the entry")


def test_a_registered_copy_does_not_excuse_its_values(
    on_cases: Callable[..., Any], numpy_with: Callable[..., Any]
) -> None:
    wrong = numpy_with(reshape=lambda x, shape: x.ravel() * np.float32(2))
    judged = on_cases(memory("true"), wrong, entry("{aliases: false}"))["one"]
    assert judged.reason == "registered: a copy; got also a deviation in value"


def test_a_registered_copy_does_not_excuse_a_call_that_writes_to_its_input(
    on_cases: Callable[..., Any], numpy_with: Callable[..., Any]
) -> None:
    def writing(x: Any, shape: Any) -> Any:
        result = x.ravel().copy()
        x.flags.writeable = True
        x[...] = 7
        return result

    judged = on_cases(memory("true"), numpy_with(reshape=writing), entry("{aliases: false}"))["one"]
    assert judged.verdict == "failed"
    assert judged.reason == "registered: a copy; got a call that wrote to what was not its own"


def test_a_list_of_patterns_is_about_what_any_of_them_matches(
    on_cases: Callable[..., Any], numpy_with: Callable[..., Any]
) -> None:
    listed = f"  - {{cases: ['things/one[float64]', '*other*'], instead: {{shape: [2, 1]}}, {WHY}}}"
    tall = numpy_with(sigmoid=lambda x: RIGHT["sigmoid"](x)[:, None], exp=lambda x: np.exp(x)[:, None])
    verdicts = on_cases(CASE, tall, listed)
    assert verdicts.ids("divergent") == ["things/one[float64]", "things/other[float32]"]
    assert verdicts.ids("failed") == ["things/one[float32]"]


SPELLINGS = {"sigmoid": {"lib.sigmoid": widened, "formula: doubled": doubled}}


@pytest.mark.parametrize(
    ("more", "primary", "lib", "formula"),
    [
        ("", "divergent", "failed", "failed"),  # of the primary spelling alone
        ("idioms: [lib.sigmoid]", "failed", "divergent", "failed"),
        ("idioms: ['lib.*']", "failed", "divergent", "failed"),
        ("idioms: ['formula*']", "failed", "failed", "failed"),  # it applies, and its values are no float64
        ("idioms: ['formula*', 'lib.sigmoi?']", "failed", "divergent", "failed"),
        ("idioms: ['*']", "failed", "divergent", "failed"),
        ("idioms: [lib]", "failed", "failed", "failed"),
        ("idioms: ['lib.*'], modes: [idioms]", "failed", "divergent", "failed"),
        ("idioms: ['lib.*'], modes: [eager]", "failed", "failed", "failed"),
    ],
)
def test_an_entry_with_idioms_is_about_these_alone_and_one_without_about_the_primary_one(
    more: str, primary: str, lib: str, formula: str, on_cases: Callable[..., Any], numpy_with: Callable[..., Any]
) -> None:
    backend = numpy_with(spellings=SPELLINGS, sigmoid=widened)
    text = "  - {name: one, given: {x: [0.0, 1.0]}, call: sigmoid(x)}"
    registered = entry("{dtype: float64}", more=more)
    assert on_cases(text, backend, registered)["one"].verdict == primary
    verdicts = {
        name: on_cases(text, backend, registered, mode="idioms", idiom=name)["one"] for name in SPELLINGS["sigmoid"]
    }
    assert [judged.verdict for judged in verdicts.values()] == [lib, formula]
    applied = any(f.channel == "registry" for f in verdicts["formula: doubled"].findings)
    assert applied == ("formula" in more or "'*'" in more)


def test_the_registry_tells_spellings_of_a_variant_apart(folder: Callable[..., Any]) -> None:
    """Its last variant is remembered; the entries that apply to it differ by mode and spelling."""
    text = "\n".join(
        [entry("{shape: [1]}", more="idioms: [a]"), entry("{shape: [2]}"), entry("{shape: [3]}", more="idioms: ['*']")]
    )
    corpus = corpus_with(folder, text)
    registry, variant = Registry(corpus.divergences, "numpy", NUMPY), next(corpus.variants())
    for _ in range(2):
        found = [e for name in ("a", "", "b") for e in registry.find(variant, "idioms" if name else "eager", name)]
        assert [e.spec.instead.shape for e in found] == [[1], [2], [3]]


@pytest.mark.parametrize(
    ("more", "verdict"),
    [
        ("modes: [eager]", "divergent"),
        ("modes: [jit]", "failed"),
        ("dtypes: [float32]", "divergent"),
        ("dtypes: [float16]", "failed"),
        ("versions: '>=2.4,<3'", "divergent"),
        ("versions: '<2.4'", "failed"),
        ("versions: '>=2.4.7'", "failed"),
    ],
)
def test_modes_dtypes_and_versions_limit_an_entry(
    more: str, verdict: str, on_cases: Callable[..., Any], numpy_with: Callable[..., Any]
) -> None:
    judged = on_cases(CASE, numpy_with(sigmoid=widened), entry("{dtype: float64}", more=more))["one[float32]"]
    assert judged.verdict == verdict
    assert not any(f.channel == "registry" for f in judged.findings)  # not applied, rather than not held


def test_an_entry_of_another_backend_is_not_applied(
    folder: Callable[..., Any], on_cases: Callable[..., Any], numpy_with: Callable[..., Any]
) -> None:
    folder("", **{"divergences/torch.yaml": f"backend: torch\ndivergences:\n{entry('{dtype: float64}')}"})
    assert on_cases(CASE, numpy_with(sigmoid=widened))["one[float32]"].verdict == "failed"


def test_the_first_entry_that_applies_decides(on_cases: Callable[..., Any], numpy_with: Callable[..., Any]) -> None:
    both = (
        entry("{dtype: float16}", more="modes: [jit]") + "\n" + entry("{dtype: float64}") + "\n" + entry("{shape: [9]}")
    )
    assert on_cases(CASE, numpy_with(sigmoid=widened), both)["one[float32]"].verdict == "divergent"


def corpus_with(folder: Callable[..., Any], text: str, backend: str = "numpy") -> Any:
    return load(folder(CASE, **{f"divergences/{backend}.yaml": f"backend: {backend}\ndivergences:\n{text}"}))


@pytest.mark.parametrize(
    ("versions", "version", "listed"),
    [
        (">=2,<3", "2.4.6", False),
        (">=2,<3", "3.0", True),
        (">=2,<3", "1.26.4", True),
        (">=2,<3", "2.5.0rc1", False),  # a release candidate is looked at as well
        (">=2,<3", "2.4.6+cpu", False),
        (">=2,<3", "built from source", False),  # what can't be read is not taken to lie outside
        ("", "99", False),
    ],
)
def test_an_entry_whose_range_the_version_has_left_is_listed_and_not_applied(
    versions: str, version: str, listed: bool, folder: Callable[..., Any]
) -> None:
    corpus = corpus_with(folder, entry("{dtype: float64}", more=f"versions: '{versions}'"))
    registry = Registry(corpus.divergences, "numpy", {"numpy": version, "scipy": "1.0"})
    assert [e.spec.cases for e in registry.of_other_versions()] == (["things/one*"] if listed else [])
    variant = next(corpus.variants())
    assert (registry.find(variant, "eager") == []) == listed


@pytest.mark.parametrize(
    ("ranges", "applies"),
    [
        ("{scipy: '<1.18'}", True),
        ("{scipy: '>=1.18'}", False),
        ("{numpy: '>=2', scipy: '<1.18'}", True),
        ("{numpy: '>=3', scipy: '<1.18'}", False),
        ("{keras: '<1'}", True),  # it is not there, so nothing of it is run either
        ("{}", True),
    ],
)
def test_an_entry_may_state_versions_of_packages_beside_the_framework(
    ranges: str, applies: bool, folder: Callable[..., Any]
) -> None:
    corpus = corpus_with(folder, entry("{dtype: float64}", more=f"versions: {ranges}"))
    registry = Registry(corpus.divergences, "numpy", {"numpy": "2.4.6", "scipy": "1.17.1"})
    assert (registry.find(next(corpus.variants()), "eager") != []) == applies
    assert len(registry.of_other_versions()) == (not applies)


@pytest.mark.parametrize(
    ("before", "after", "dead"),
    [
        ("", "", True),
        ("", "dtypes: [float32]", True),
        ("", "versions: '<3'", True),
        ("modes: [eager]", "", True),  # the only one that NumPy has
        ("", "seen-on: {devices: [gpu]}", True),  # where it was seen, and everywhere else, the first one explains
        ("dtypes: [float32]", "", False),
        ("versions: '<3'", "", False),
        ("versions: '<3'", "versions: '>=3'", False),
        ("idioms: ['*']", "", False),
        ("seen-on: {devices: [gpu]}", "", False),
        ("seen-on: {devices: [gpu]}", "seen-on: {devices: [cpu]}", False),
        ("seen-on: {devices: [gpu]}", "seen-on: {devices: [gpu]}", True),
        ("", "seen-on: {kernels: [ours]}", False),  # where they run, it is looked at first
        ("seen-on: {kernels: [ours]}", "", False),
        ("seen-on: {kernels: [ours]}", "seen-on: {kernels: [ours]}", True),
    ],
)
def test_an_entry_that_can_decide_nothing_for_one_before_it_is_reported(
    before: str, after: str, dead: bool, folder: Callable[..., Any]
) -> None:
    text = f"{entry('{dtype: float64}', more=before)}\n{entry('{ulp: [1, 2]}', more=after)}"
    lines = dead_entries(corpus_with(folder, text))
    assert lines == (
        [
            "divergences of numpy: 'things/one*' (an error of 1 to 2 ULP) decides nothing: 'things/one*' (dtype float64) "
            "stands before it; limit that one, or remove this one"
        ]
        if dead
        else []
    )


def test_a_package_whose_version_no_run_records_is_reported(folder: Callable[..., Any]) -> None:
    (line,) = stray_entries(
        corpus_with(folder, entry("{dtype: float64}", more="versions: {scippy: '<1', scipy: '<9'}"))
    )
    assert line.startswith(
        "divergences of numpy: 'scippy' is no package whose version its runs record; those are numpy"
    )


def test_a_range_that_is_none_is_told_with_its_package(folder: Callable[..., Any]) -> None:
    with pytest.raises(CaseFileError, match="found 'new'") as error:
        corpus_with(folder, entry("{dtype: float64}", more="versions: {scipy: new}"))
    assert "numpy.yaml:" in str(error.value)


@pytest.mark.parametrize(
    ("more", "cases"),
    [
        ("", "things/on"),
        ("", "things/one[float16]"),
        ("", "Things/one*"),
        ("dtypes: [int8]", "things/one*"),
        ("modes: [graph]", "*"),
    ],
)
def test_an_entry_that_is_about_no_variant_is_reported(more: str, cases: str, folder: Callable[..., Any]) -> None:
    (line,) = stray_entries(corpus_with(folder, entry("{dtype: float64}", cases, more)))
    assert line.startswith(f"divergences of numpy: '{cases}' matches no variant")


@pytest.mark.parametrize(
    "more",
    ["idioms: ['scipy.special.expit']", "idioms: ['scipy*', 'formula: (tanh*']", "idioms: ['*'], modes: [idioms]"],
)
def test_an_entry_about_spellings_that_there_are_is_not_reported(more: str, folder: Callable[..., Any]) -> None:
    assert stray_entries(corpus_with(folder, entry("{dtype: float64}", more=more))) == []


@pytest.mark.parametrize(
    ("cases", "more", "reported"),
    [
        ("things/one*", "idioms: [scipy.special.expat]", ["things/one*", "scipy.special.expat"]),
        ("things/one*", "idioms: ['scipy*', 'tinygrad*']", ["tinygrad*"]),
        ("nothing", "idioms: ['scipy*']", ["nothing"]),
        ("things/one*", "idioms: ['scipy*'], modes: [eager]", ["things/one*"]),  # other spellings run in no such mode
        ("things/one*", "modes: [idioms]", ["things/one*"]),  # nor the primary ones in this one
    ],
)
def test_an_entry_about_spellings_that_never_run_is_reported(
    cases: str, more: str, reported: list[str], folder: Callable[..., Any]
) -> None:
    lines = stray_entries(corpus_with(folder, entry("{dtype: float64}", cases, more)))
    assert set(reported) >= {line.split("'")[1] for line in lines} >= {reported[-1]}
    assert all(line.startswith("divergences of numpy: '") for line in lines)


def test_each_pattern_of_a_list_must_match_something(folder: Callable[..., Any]) -> None:
    listed = (
        f"  - {{cases: ['things/one*', 'things/noone*', '*other*', '*[int8]'], instead: {{dtype: float64}}, {WHY}}}"
    )
    lines = stray_entries(corpus_with(folder, listed))
    assert [line.split("'")[1] for line in lines] == ["things/noone*", "*[int8]"]
    limited = f"  - {{cases: ['things/one*', '*other*'], instead: {{shape: [1]}}, dtypes: [float64], {WHY}}}"
    lines = stray_entries(corpus_with(folder, limited))
    assert [line.split("'")[1] for line in lines] == ["*other*"]  # it has no variant of float64


def test_an_entry_that_was_seen_on_another_machine_is_not_reported_here(folder: Callable[..., Any]) -> None:
    elsewhere = entry("{dtype: float64}", more="seen-on: {machines: [pdp11]}")
    assert stray_entries(corpus_with(folder, elsewhere)) == []


HERE = f"seen-on: {{machines: [pdp11, {platform.machine()}], devices: [cpu]}}"
ELSEWHERE = ["seen-on: {machines: [pdp11]}", "seen-on: {devices: [gpu]}", f"{HERE[:-6]}[gpu]}}"]


@pytest.mark.parametrize("seen", [HERE, "seen-on: {devices: [gpu, cpu]}", "seen-on: {}", *ELSEWHERE])
@pytest.mark.parametrize("of_the_file", [False, True])
def test_where_it_was_seen_an_entry_has_to_show_and_elsewhere_it_only_explains(
    seen: str, of_the_file: bool, on_cases: Callable[..., Any], numpy_with: Callable[..., Any]
) -> None:
    text = entry("{dtype: float64}", more="" if of_the_file else seen)
    text = f"{text}\n{seen}\n" if of_the_file else text
    demanded = seen not in ELSEWHERE

    def judged(sigmoid: Any = None) -> Any:
        return on_cases(CASE, numpy_with(sigmoid=sigmoid) if sigmoid else None, text)["one[float32]"]

    assert judged(widened).verdict == "divergent"
    assert judged().verdict == ("failed" if demanded else "passed")
    assert judged().reason == (
        "" if not demanded else "registered: dtype float64; got what conforms: fixed, remove the entry"
    )
    other = judged(lambda x: widened(x).astype(np.float16))
    assert (other.verdict, [f.channel for f in other.findings]) == ("failed", ["dtype", "registry"])
    assert other.reason.startswith(
        "registered: dtype float64; got dtype float16" if demanded else "dtype: expected float32"
    )
    assert (other.findings[-1].expected, other.findings[-1].got) == ("as registered: dtype float64", "dtype float16")


def test_a_subnormal_that_comes_as_zero_is_what_it_is_beside_an_entry_that_was_seen_elsewhere(
    on_cases: Callable[..., Any], numpy_with: Callable[..., Any]
) -> None:
    text = "  - {name: one, given: {x: [-90.0, 0.0]}, call: sigmoid(x)}"
    flushes = {"flushes_subnormals": lambda self, mode, dtype="float32": True}
    flushing = numpy_with(flushes, sigmoid=lambda x: RIGHT["sigmoid"](x) * (x > -88))
    for more, verdict in (("", "failed"), (f", {ELSEWHERE[0]}", "divergent")):
        registered = entry("{dtype: float64}", more=more[2:])
        assert on_cases(text, flushing, registered)["one"].verdict == verdict


def test_an_entry_that_was_seen_here_comes_before_those_that_were_seen_elsewhere(
    on_cases: Callable[..., Any], numpy_with: Callable[..., Any]
) -> None:
    both = entry("{shape: [1]}", more=ELSEWHERE[0]) + "\n" + entry("{dtype: float64}", more=HERE)
    assert on_cases(CASE, numpy_with(sigmoid=widened), both)["one[float32]"].verdict == "divergent"
    assert on_cases(CASE, None, both)["one[float32]"].verdict == "failed"


def test_of_entries_that_were_seen_elsewhere_the_one_that_is_what_came_explains_it(
    on_cases: Callable[..., Any], numpy_with: Callable[..., Any]
) -> None:
    both = entry("{shape: [1]}", more=ELSEWHERE[0]) + "\n" + entry("{dtype: float64}", more=ELSEWHERE[0])
    assert on_cases(CASE, numpy_with(sigmoid=widened), both)["one[float32]"].verdict == "divergent"
    other = on_cases(CASE, numpy_with(sigmoid=lambda x: widened(x) * 2), both)["one[float32]"]
    assert (other.verdict, other.findings[-1].expected) == ("failed", "as registered: shape [1]")


@pytest.mark.parametrize(
    ("patterns", "kernels", "demanded"),
    [
        ("['oneDNN *']", "oneDNN AVX2", True),
        ("['oneDNN *']", "no oneDNN, AuthenticAMD", False),
        ("['no oneDNN*', 'oneDNN AVX2']", "oneDNN AVX2", True),
        ("['no oneDNN*', 'oneDNN AVX2']", "oneDNN AVX512", False),
        ("['oneDNN *']", "", False),  # nobody knows
        ("[]", "oneDNN AVX2", True),
        ("[]", "", True),
    ],
)
def test_an_entry_about_certain_kernels_is_demanded_where_they_run(
    patterns: str, kernels: str, demanded: bool, folder: Callable[..., Any]
) -> None:
    corpus = corpus_with(folder, entry("{dtype: float64}", more=f"seen-on: {{kernels: {patterns}}}"))
    registry = Registry(corpus.divergences, "numpy", NUMPY, "cpu", kernels)
    assert len(registry.elsewhere()) == (not demanded)
    assert [e.demanded for e in registry.find(next(corpus.variants()), "eager")] == [demanded]


def test_an_entry_about_these_kernels_comes_before_one_about_all(folder: Callable[..., Any]) -> None:
    both = entry("{shape: [1]}") + "\n" + entry("{dtype: float64}", more="seen-on: {kernels: [ours]}")
    variant = next((corpus := corpus_with(folder, both)).variants())
    for kernels, dtype in (("ours", "float64"), ("theirs", None)):
        (found,) = Registry(corpus.divergences, "numpy", NUMPY, "cpu", kernels).find(variant, "eager")
        assert found.spec.instead.dtype == dtype


def test_an_entrys_own_place_replaces_that_of_its_file(folder: Callable[..., Any]) -> None:
    text = entry("{dtype: float64}", more="seen-on: {devices: [gpu]}") + "\n" + entry("{shape: [1]}") + "\n"
    corpus = corpus_with(folder, text + "seen-on: {machines: [pdp11]}\n")
    for device, demanded in (("cpu", []), ("gpu", [True]), ("gpu:1", [True])):
        registry = Registry(corpus.divergences, "numpy", NUMPY, device)
        assert [e.demanded for e in registry.entries if e.spec.instead.dtype and e.demanded] == demanded
        assert not registry.entries[1].demanded


def test_an_entry_about_a_backend_that_is_not_here_is_not_reported(folder: Callable[..., Any]) -> None:
    assert stray_entries(corpus_with(folder, entry("{dtype: float64}", "nothing"), "thirdparty")) == []


@pytest.mark.parametrize(
    ("pattern", "variant"),
    [
        ("a/b[float32]", "a/b[float32]"),
        ("a/b*", "a/b[float32,axis=0]"),
        ("*[float32]", "a/b[float32]"),
        ("a/?[float32]", "a/b[float32]"),
        ("a/*axis=-1]", "a/b[float32,axis=-1]"),
        ("*", ""),
        ("a.b+c", "a.b+c"),
    ],
)
def test_a_pattern_matches(pattern: str, variant: str) -> None:
    assert matches(pattern, variant)


@pytest.mark.parametrize(
    ("pattern", "variant"),
    [
        ("a/b[float32]", "a/bf"),  # brackets are no set of characters
        ("a/b", "a/b[float32]"),
        ("b[float32]", "a/b[float32]"),
        ("a/?", "a/bc"),
        ("a/?b", "a/b"),
        ("a.b", "aXb"),
        ("a/b+", "a/bb"),
        ("A/*", "a/b"),
        ("", "a"),
    ],
)
def test_a_pattern_does_not_match(pattern: str, variant: str) -> None:
    assert not matches(pattern, variant)


@pytest.mark.parametrize(
    ("instead", "summary"),
    [
        ("{raises: TypeError}", "TypeError is raised"),
        ("{returns: true, shape: []}", "a result, no error, shape []"),
        ("{dtype: float64, values: [0, 0]}", "dtype float64, the values [0, 0]"),
        ("{ulp: [0.5, 2]}", "an error of 0.5 to 2 ULP"),
        ("{non-finite: 1200}", "NaN or infinity in 1,200 elements that must not be so, or the other way"),
        ("{zero-signs: true, aliases: true}", "zeros of another sign, a view"),
        ("{aliases: false}", "a copy"),
    ],
)
def test_what_comes_instead_is_said_in_words(instead: str, summary: str, folder: Callable[..., Any]) -> None:
    (found,) = Registry(corpus_with(folder, entry(instead)).divergences, "numpy", NUMPY).entries
    assert found.summary == summary


# patterns


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [
        ("*", "", True),
        ("*", "a/b[c]", True),
        ("a*", "a/b", True),
        ("a*", "b/a", False),
        ("*b", "ab", True),
        ("*b", "abc", False),
        ("a*b*c", "a-b-b-c", True),
        ("a*b*c", "a-c-b", False),
        ("*ab*ab", "ab", False),
        ("*ab*ab", "abab", True),
        ("*ab*ab", "aab-aab", True),
        ("a?c", "abc", True),
        ("a?c", "ac", False),
        ("?*?", "a", False),
        ("?*?", "ab", True),
        ("**a**", "bab", True),
        ("a[b]", "a[b]", True),
        ("a.c", "abc", False),
        ("*\n*", "a\nb", True),
    ],
)
def test_patterns_know_stars_and_question_marks_and_nothing_else(pattern: str, text: str, fits: bool) -> None:
    assert matches(pattern, text) is fits


@settings(deadline=None)
@given(st.text("ab*?", max_size=8), st.text("ab", max_size=10))
def test_patterns_match_what_the_textbook_says(pattern: str, text: str) -> None:
    def by_definition(p: str, t: str) -> bool:
        if not p:
            return not t
        if p[0] == "*":
            return by_definition(p[1:], t) or (bool(t) and by_definition(p, t[1:]))
        return bool(t) and p[0] in ("?", t[0]) and by_definition(p[1:], t[1:])

    assert matches(pattern, text) is by_definition(pattern, text)


def test_patterns_made_to_explode_do_not() -> None:
    """Tried in every way that the stars could be filled, these would take centuries."""
    for pattern in ("*a" * 400 + "b", "a*" * 300 + "b", "*?" * 400 + "b*"):
        assert not matches(pattern, "a" * 2000)


HIDDEN = "  - {name: one, given: {x: [1.0, 14.0, 16.5, 20.0]}, call: sigmoid(x), check: [gradient]}"


def with_slopes(slopes: Callable[[np.ndarray], Any]) -> Any:
    """A backend whose sigmoid has these gradients, divided by the weights."""

    class Sloped(NumpyBackend):
        def gradient(self, function: Any, inputs: Any, wrt: Any, cotangent: Any) -> list[Any]:
            x = inputs[0].astype(np.float64)
            return [(slopes(x) * cotangent).astype(np.float32)]

    return Sloped()


def test_an_entry_in_ulp_holds_for_every_element_and_hides_no_zeros(on_cases: Callable[..., Any]) -> None:
    def from_rounded(x: np.ndarray) -> Any:
        y = (1 / (1 + np.exp(-x))).astype(np.float32)
        return y * (1 - y)

    def vanishing(x: np.ndarray) -> Any:
        return from_rounded(x) * (x < 16)

    registered = entry("{ulp: [5.0e+6, 3.0e+7], zeros: 1}")
    assert on_cases(HIDDEN, with_slopes(from_rounded), registered)["one"].verdict == "divergent"
    hidden = on_cases(HIDDEN, with_slopes(vanishing), registered)["one"]
    assert hidden.verdict == "failed"
    assert hidden.reason.endswith("got 2 zeros that must not be")
    none = on_cases(HIDDEN, with_slopes(from_rounded), entry("{ulp: [5.0e+6, 3.0e+7]}"))["one"]
    assert none.reason.endswith("got 1 zero that must not be")


def test_an_error_past_the_range_is_seen_beside_one_that_is_nearer_its_budget(
    on_cases: Callable[..., Any], numpy_with: Callable[..., Any]
) -> None:
    """A softmax is allowed more the further an element lies below the largest: ratios and errors order otherwise."""
    text = "  - {name: one, given: {x: [0.0, -60.0]}, call: 'softmax(x, axis=0)'}"

    def off(first: float, second: float) -> Any:
        def wrong(x: np.ndarray, axis: int) -> np.ndarray:
            y = RIGHT["softmax"](x, axis=axis).astype(np.float64)
            return (y * (1 + np.array([first, second]) * 2.0**-23)).astype(np.float32)

        return numpy_with(softmax=wrong)

    one, both = off(200, 0), off(200, 300)
    registered = entry("{ulp: [150, 300]}")
    assert on_cases(text, one, registered)["one"].verdict == "divergent"
    judged = on_cases(text, both, registered)["one"]
    assert judged.measured is not None
    assert judged.measured.index == (0,)  # the element nearest its budget
    assert judged.verdict == "failed"
