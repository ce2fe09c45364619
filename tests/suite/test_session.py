"""One backend's run over a selection: what is executed, judged and recorded."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from conformance import backends, runfile
from conformance.backends.numpy import NumpyBackend
from conformance.backends.spelling import Idioms, Unsupported
from conformance.ops import OPERATIONS
from conformance.ops.base import DefinitionError
from conformance.runfile import Made, Run
from conformance.suite.selection import manifest_digest
from conformance.suite.session import BackendSession, describe_failure
from conformance.words.wording import exact_digits

RIGHT = dict(NumpyBackend.idioms)

TEXT = """
  - {name: one, given: {x: [0.0, 1.0]}, for: {dtype: [float32, float64]}, call: sigmoid(x), about: The sigmoid.}
  - {name: sum, given: {x: [1, 2]}, call: sum(x)}
  - {name: refused, given: {x: [1.0]}, call: 'softmax(x, axis=3)', expect: raises}
  - {name: slope, given: {x: [1.0]}, call: exp(x), check: [gradient]}
  - {name: claim, given: {x: [1.0]}, claim: 1 - sigmoid(x) == sigmoid(-x)}
"""


class TwoModes(NumpyBackend):
    """Numpy that pretends to compile."""

    name = "twomodes"
    modes = ("eager", "jit")
    idioms = Idioms(RIGHT)


def record(session: BackendSession, path: Path, complete: bool = True) -> Run:
    """Run everything, recorded."""
    items = [(mode, case.id) for case in session.selection.cases for mode in session.modes]
    session.record_to(path, items, "something")
    for mode, case_id in items:
        session.run_case(next(c for c in session.selection.cases if c.id == case_id), mode)
    session.finish(complete)
    return runfile.read(path)


@pytest.fixture
def recorded(session: Callable[..., BackendSession], tmp_path: Path) -> Callable[..., Run]:
    """The run file of a whole run."""
    return lambda *args, **kwargs: record(session(*args, **kwargs), tmp_path / "run.jsonl")


def test_what_breaks_in_the_suite_is_no_failure_and_says_of_each_variant_why_and_where(
    session: Callable[..., BackendSession], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = """
  - {name: muddled, given: {x: [0.0, 1.0]}, for: {dtype: [float32, float64]}, call: sigmoid(x)}
  - {name: clear, given: {x: [0.0, 1.0]}, call: exp(x)}
"""
    monkeypatch.setattr(OPERATIONS["sigmoid"], "_budget", lambda result, x: np.full(x.shape, np.nan))
    running = session(text, modes=["eager"])
    muddled, clear = running.selection.corpus.cases
    with pytest.raises(DefinitionError) as raised:
        running.run_case(muddled, "eager")
    notes = raised.value.__notes__
    assert [note.partition(" eager: ")[0] for note in notes] == [
        "not run: things/muddled[float32]",
        "not run: things/muddled[float64]",
    ]
    assert all("the budget of operation 'sigmoid' is NaN" in note and "test_session.py, line" in note for note in notes)
    (result,) = running.run_case(clear, "eager")
    assert result.judgement.verdict == "passed"


def test_a_run_records_every_variant_with_inputs_answer_and_result(recorded: Callable[..., Run]) -> None:
    run = recorded(TEXT, modes=["eager"])
    assert run.complete
    assert [r.variant for r in run.records] == list(run.variants)
    verdicts = {r.variant.removeprefix("things/"): r.verdict for r in run.records}
    assert verdicts == {
        "one[float32]": "passed",
        "one[float64]": "passed",
        "sum[int64]": "passed",
        "refused[float32]": "passed",
        "slope[float32,gradient]": "unsupported",
        "claim[float32]": "passed",
    }
    line, made = run.variants["things/one[float64]"], run.records[1]
    np.testing.assert_array_equal(line.inputs["x"].array(), [0.0, 1.0])
    np.testing.assert_array_equal(line.answer.array(), [0.5, 1 / (1 + np.exp(-1.0))])
    assert exact_digits(line.answer.array(), np.array(line.residuals)) == [
        "0.50000000000000000000", "0.73105857863000487925",
    ]  # fmt: skip
    np.testing.assert_array_equal(made.got[0].array(), RIGHT["sigmoid"](np.array([0.0, 1.0])))
    assert made.ulp <= made.budget
    assert made.at == [1]


def test_a_variant_says_what_its_truth_rests_on_and_what_its_grid_s_names_stand_for(
    recorded: Callable[..., Run],
) -> None:
    text = (
        TEXT
        + """
  - {name: special, given: {x: [1.0, .nan]}, call: sigmoid(x)}
  - {name: stated, given: {x: [1.0]}, call: sigmoid(x), expect: {values: [0.75], because: a reason}}
  - {name: printed, given: {x: [1.0]}, call: sigmoid(x), expect: {prints: 'tensor([0.7311])'}}
  - {name: grid, given: {x: {normal: {shape: [2, 3], scale: scale, seed: 1}}}, for: {axis: [1], scale: [3]}, call: 'softmax(x, axis=axis)'}
"""
    )
    lines = {v.id.removeprefix("things/"): v for v in recorded(text, modes=["eager"]).variants.values()}
    assert {name: line.truth for name, line in lines.items()} == {
        "one[float32]": "arithmetic",
        "one[float64]": "arithmetic",
        "sum[int64]": "arithmetic",
        "refused[float32]": "refusal",
        "slope[float32,gradient]": "arithmetic",
        "claim[float32]": "claim",
        "special[float32]": "convention",
        "stated[float32]": "stated",
        "printed[float32]": "document",
        "grid[float32,axis=1,scale=3]": "arithmetic",
    }
    assert lines["grid[float32,axis=1,scale=3]"].bindings == {"axis": 1}, "what only the inputs need is not named"
    assert lines["one[float64]"].bindings == {}


def test_a_result_too_large_to_be_stored_is_drawn_where_it_is_off(
    recorded: Callable[..., Run], numpy_with: Callable[..., NumpyBackend]
) -> None:
    text = "  - {name: long, given: {x: {normal: {shape: [5000], seed: 1}}}, call: sigmoid(x)}"

    def wrong(x: np.ndarray) -> np.ndarray:
        y = RIGHT["sigmoid"](x)
        y[-1] = 2
        return y

    (right,), (off,) = (recorded(text, backend).records for backend in (numpy_with(), numpy_with(sigmoid=wrong)))
    for made in (right, off):
        assert not made.got[0].whole
    assert "f" not in right.picture.split()[3]
    assert off.picture.split()[3][-1] == "f" and off.picture[:-1] == right.picture[:-1]


def test_the_header_says_what_is_run_on_what(recorded: Callable[..., Run]) -> None:
    run = recorded(TEXT, modes=["eager"])
    head = run.header
    assert (head.backend, head.device, head.selection) == ("numpy", "cpu", "something")
    assert head.versions["numpy"] == np.__version__
    assert [(m.name, m.variants, m.left_out, m.unsupported) for m in head.modes] == [("eager", 6, 0, "")]
    assert head.modes[0].flushes_subnormals is False
    assert sorted(head.operations) == ["exp", "negative", "sigmoid", "softmax", "subtract", "sum"]
    assert head.operations["exp"]["document"] == "torch.exp(x)"
    assert {i.operation for i in head.idioms} == set(head.operations)
    assert head.manifest_digest == manifest_digest(list(run.variants))


def test_a_case_is_recorded_with_its_text_and_without_the_machines_paths(
    recorded: Callable[..., Run], tmp_path: Path
) -> None:
    run = recorded(TEXT)
    case = run.cases["things/one"]
    assert (case.path, case.operation, case.call, case.claim) == ("things.yaml", "sigmoid", "sigmoid(x)", False)
    assert case.text.strip().startswith("- {name: one, given") and case.about == "The sigmoid."
    assert run.cases["things/claim"].claim
    assert str(tmp_path) not in run.path.read_text()


DRAWN = """
  - {name: drawn, given: {x: [-3.0, 1.5, 1.0]}, call: exp(x), draw: accuracy}
  - {name: along, given: {x: [-3.0, 1.5, 1.0]}, call: 'softmax(x, axis=0)', draw: accuracy}
  - {name: plain, given: {x: [-3.0, 1.5, 1.0]}, call: exp(x)}
"""


def test_errors_by_exponent_are_recorded_of_what_is_to_be_drawn_and_the_curve_of_what_has_one(
    recorded: Callable[..., Run],
) -> None:
    run = recorded(DRAWN, modes=["eager"])
    assert run.complete
    drawn, along, plain = run.records
    assert [(b.sign, b.exponent, b.count) for b in drawn.profile.bins] == [(-1, 1, 1), (1, 0, 2)]
    assert run.variants[drawn.variant].curve == [(-3.0, 0.0497871), (1.0, 2.71828)]
    assert along.profile is not None and run.variants[along.variant].curve == []
    assert plain.profile is None and run.variants[plain.variant].curve == []
    assert [run.cases[f"things/{name}"].draw for name in ("drawn", "plain")] == ["accuracy", ""]


def test_a_refusal_is_recorded_with_its_error_and_without_a_result(recorded: Callable[..., Run]) -> None:
    refused = next(r for r in recorded(TEXT).records if "refused" in r.variant)
    assert refused.raised.startswith("AxisError: axis 3 is out of bounds")
    assert refused.got == []


def test_what_is_unsupported_is_recorded_with_its_reason_and_without_a_result(
    recorded: Callable[..., Run], numpy_with: Callable[..., Any]
) -> None:
    def refusing(x: Any) -> Any:
        raise Unsupported("not in this build")

    made = recorded("  - {name: one, given: {x: [0.5]}, call: sigmoid(x)}", numpy_with(sigmoid=refusing)).records[0]
    assert (made.verdict, made.reason, made.got) == ("unsupported", "not in this build", [])


def test_a_divergence_is_recorded_with_its_reason_findings_and_link(
    recorded: Callable[..., Run], numpy_with: Callable[..., Any]
) -> None:
    registry = """backend: numpy
divergences:
  - cases: things/*
    instead: {dtype: float64}
    because: It is widened.
    first-seen: numpy 2
    link: https://example.org/why
"""
    wide = numpy_with(sigmoid=lambda x: RIGHT["sigmoid"](x.astype(np.float64)))
    text = "  - {name: one, given: {x: [0.5]}, call: sigmoid(x)}"
    made = recorded(text, wide, **{"divergences/numpy.yaml": registry}).records[0]
    assert (made.verdict, made.reason, made.link) == ("divergent", "It is widened.", "https://example.org/why")
    assert [f.channel for f in made.findings] == ["dtype"]


def test_a_failure_is_recorded_with_findings_and_the_step_it_is_in(
    recorded: Callable[..., Run], numpy_with: Callable[..., Any]
) -> None:
    wrong = numpy_with(sigmoid=lambda x: RIGHT["sigmoid"](x) * x.dtype.type(1.1))
    made = recorded("  - {name: one, given: {x: [0.5]}, call: 1 - sigmoid(x)}", wrong).records[0]
    assert made.verdict == "failed"
    assert made.step == "1, sigmoid"
    assert made.reason.startswith("value: expected 0.62")
    assert made.findings[0].detail.endswith("step 1, sigmoid, at [0]")
    assert made.end_to_end > 1e5


@pytest.mark.parametrize(
    "case",
    [
        "{name: one, given: {x: [1, 2]}, call: sum(x), check: [gradient]}",
        "{name: one, given: {x: [.inf]}, call: exp(x), check: [gradient]}",
        "{name: one, given: {p: [0.0], y: [1.0]}, call: 'binary_cross_entropy(p, y)', check: [gradient]}",
        "{name: one, given: {x: [1, 2]}, call: mean(x), expect: {dtype: float64, values: 1.5, because: as NumPy says}}",
        "{name: one, given: {x: [1.0]}, for: {dtype: float16}, call: exp(x), expect: {values: [70000], because: no float16 is}}",
        "{name: one, given: {x: [-1.0]}, call: exp(log(x))}",
    ],
    ids=["of integers", "of infinity", "at a kink", "mixed dtypes", "impossible values", "no answer"],
)
def test_what_has_no_exact_answer_of_its_own_is_recorded_all_the_same(case: str, recorded: Callable[..., Run]) -> None:
    assert recorded("  - " + case).complete


def test_the_answer_recorded_for_a_gradient_is_the_gradient(recorded: Callable[..., Run]) -> None:
    line = recorded("  - {name: one, given: {x: [0.0]}, call: sigmoid(x), check: [gradient]}").variants
    assert line["things/one[float32,gradient]"].check == "gradient"
    assert line["things/one[float32,gradient]"].answer.array()[0] == 0.25


def test_expectations_are_recorded_in_words(recorded: Callable[..., Run]) -> None:
    text = """
  - {name: a, given: {x: [0.0]}, call: sigmoid(x), expect: {values: [0.5], because: it is a half}}
  - {name: b, given: {x: [0.0]}, call: sigmoid(x), expect: {prints: 'tensor([0.5000])', shape: [1], dtype: float32}}
"""
    lines = recorded(text + TEXT).variants
    assert lines["things/a[float32]"].expected == "the values [0.5], because it is a half"
    assert lines["things/b[float32]"].expected == "printed as tensor([0.5000]), shape [1], dtype float32"
    assert lines["things/refused[float32]"].expected == "an error"
    assert lines["things/one[float32]"].expected == ""


def test_modes_share_a_variants_line_and_have_a_record_each(recorded: Callable[..., Run]) -> None:
    run = recorded(TEXT, TwoModes)
    assert [m.variants for m in run.header.modes] == [6, 6]
    assert len(run.variants) == 6 and len(run.records) == 12
    assert run.complete


def test_only_the_modes_asked_for_are_run_and_an_unknown_one_is_refused(session: Callable[..., BackendSession]) -> None:
    assert session(TEXT, TwoModes, modes=["jit"]).modes == ["jit"]
    assert session(TEXT, TwoModes).modes == ["eager", "jit"]
    with pytest.raises(backends.UnknownBackendError, match="'twomodes' has no mode 'xla'; it has eager, jit"):
        session(TEXT, TwoModes, modes=["eager", "xla"])


def test_the_manifest_holds_only_what_was_chosen_for_each_mode(
    session: Callable[..., BackendSession], tmp_path: Path
) -> None:
    """Chosen by name, a case may run in one mode and not in another; the run is whole nevertheless."""
    made = session(TEXT, TwoModes)
    chosen = [("jit", "things/one"), ("eager", "things/sum"), ("jit", "things/sum")]
    made.record_to(tmp_path / "run.jsonl", chosen)
    for mode, case_id in chosen:
        made.run_case(next(c for c in made.selection.cases if c.id == case_id), mode)
    made.finish(True)
    run = runfile.read(tmp_path / "run.jsonl")
    assert [(m.name, m.variants) for m in run.header.modes] == [("eager", 1), ("jit", 3)]
    assert run.complete


def test_a_subset_leaves_variants_out_and_says_how_many_and_why(recorded: Callable[..., Run]) -> None:
    subsets = """subsets:
  - {backend: twomodes, mode: jit, because: it takes seconds, variants: ['things/one[float32]']}
"""
    run = recorded(TEXT, TwoModes, **{"subsets.yaml": subsets})
    jit = run.header.modes[1]
    assert (jit.variants, jit.left_out, jit.because) == (1, 5, "it takes seconds")
    assert [r.variant for r in run.records if r.mode == "jit"] == ["things/one[float32]"]
    assert run.complete


def test_an_interrupted_run_has_no_footer(session: Callable[..., BackendSession], tmp_path: Path) -> None:
    assert not record(session(TEXT), tmp_path / "run.jsonl", complete=False).complete


class NotInstalled(NumpyBackend):
    """A framework that is not there."""

    name = "absent"
    package = "no_such_framework"


class Refusing(NumpyBackend):
    """A framework that is there and can't be used."""

    name = "refusing"

    def start(self) -> None:
        raise Unsupported("needs a processor with AVX")


class Broken(NumpyBackend):
    """A framework whose import fails half way."""

    name = "broken"

    def __init__(self, device: str = "cpu") -> None:
        raise ImportError("libmissing.so: cannot open shared object file")


@pytest.mark.parametrize(
    ("kind", "device", "reason"),
    [
        (NotInstalled, "cpu", "no_such_framework is not installed: pip install numpy"),
        (NumpyBackend, "gpu", "no gpu here; numpy sees cpu"),
        (Refusing, "cpu", "needs a processor with AVX"),
        (Broken, "cpu", "numpy can't be imported: libmissing.so: cannot open shared object file"),
    ],
)
def test_a_backend_that_can_not_run_is_unsupported_in_every_variant_and_passes_none(
    kind: Any, device: str, reason: str, recorded: Callable[..., Run]
) -> None:
    run = recorded(TEXT, kind, device, modes=["eager"])
    assert {(r.verdict, r.reason) for r in run.records} == {("unsupported", reason)}
    assert len(run.records) == 6
    assert run.header.modes[0].unsupported == reason
    assert run.complete


def test_a_variant_can_be_run_without_recording_it(session: Callable[..., BackendSession]) -> None:
    made = session(TEXT)
    result = made.run_variant(made.selection.variants[0], "eager")
    assert result.judgement.verdict == "passed"
    np.testing.assert_allclose(result.outcome.received[-1], [0.5, 0.73105858])


def test_variants_that_differ_in_a_parameter_are_not_mixed_up(recorded: Callable[..., Run]) -> None:
    text = """
  - name: one
    given: {x: [[1.0, 2.0], [3.0, 5.0]]}
    for: {dtype: [float32, float64], axis: [0, 1, -1]}
    call: softmax(x, axis=axis)
  - {name: made, for: {dtype: [float32, int32]}, call: 'asarray([1, 2], dtype=dtype)'}
"""
    run = recorded(text)
    assert {r.verdict for r in run.records} == {"passed"}
    got = {r.variant.removeprefix("things/"): r.got[0].array() for r in run.records}
    assert not np.array_equal(got["one[float32,axis=0]"], got["one[float32,axis=1]"])
    np.testing.assert_array_equal(got["one[float64,axis=1]"], got["one[float64,axis=-1]"])
    assert got["made[int32]"].dtype == np.int32


def test_what_a_framework_warns_of_is_no_error(recorded: Callable[..., Run], numpy_with: Callable[..., Any]) -> None:
    def warning(x: Any) -> Any:
        warnings.warn("this is slow", stacklevel=1)
        return RIGHT["sigmoid"](x)

    run = recorded("  - {name: one, given: {x: [0.0]}, call: sigmoid(x)}", numpy_with(sigmoid=warning))
    assert run.records[0].verdict == "passed"


def test_a_failure_in_words_names_the_cases_it_can_be_repeated_with(
    session: Callable[..., BackendSession], numpy_with: Callable[..., Any]
) -> None:
    made = session("  - {name: one, given: {x: [0.0]}, call: sigmoid(x)}", numpy_with(sigmoid=lambda x: x))
    text = describe_failure(made, made.run_variant(made.selection.variants[0], "eager"))
    command = "conformance run --variant 'things/one[float32]' --backend numpy --mode eager --cases"
    assert text.splitlines()[-1].strip() == f"repeat    {command} {made.selection.root}"


class NoCompiler(TwoModes):
    """One of its modes can't run here."""

    def missing_mode(self, mode: str) -> str:
        return "needs a compiler" if mode == "jit" else ""


def test_a_mode_that_can_not_run_is_unsupported_beside_one_that_can(recorded: Callable[..., Run]) -> None:
    run = recorded("  - {name: one, given: {x: [0.0]}, call: sigmoid(x)}", NoCompiler)
    assert [(r.mode, r.verdict, r.reason) for r in run.records] == [
        ("eager", "passed", ""),
        ("jit", "unsupported", "needs a compiler"),
    ]
    assert [(m.unsupported, m.flushes_subnormals) for m in run.header.modes] == [
        ("", False),
        ("needs a compiler", None),
    ]


def test_how_inputs_were_made_and_what_is_expected_of_memory_and_errors_is_recorded(
    recorded: Callable[..., Run],
) -> None:
    run = recorded(
        """
  - name: made
    given:
      a: {uniform: {shape: shape, seed: 3, low: -2, high: high}, put: {at: [-1, 0], value: .nan}, layout: layout}
      b: {full: {shape: shape, value: max}}
      c: [[1.0, 2.0]]
      d: {array: [[1.0, 2.0]], layout: contiguous}
    for: {high: [4], layout: [stepped], shape: [[3, 2]]}
    call: a + b + c * d
  - {name: refused, given: {x: [1.0]}, call: 'softmax(x, axis=3)', expect: raises}
  - {name: view, given: {x: [1.0]}, call: 'reshape(x, shape=[1, 1])', expect: {aliases: true}}
""",
        modes=["eager"],
    )
    made, refused, view = run.variants.values()
    assert made.made == {
        "a": Made("uniform", {"seed": 3, "low": -2, "high": 4}, [4, {"float": "nan"}], "stepped"),
        "b": Made("full", {"value": float(np.finfo(np.float32).max)}),
    }
    assert (refused.truth, refused.aliases, view.truth, view.aliases) == ("refusal", None, "arithmetic", True)


def test_the_exact_value_of_the_measured_element_is_recorded_where_arithmetic_has_one(
    recorded: Callable[..., Run],
) -> None:
    run = recorded(
        """
  - {name: thirds, given: {x: [3.0, 1.0], y: [3.0, 3.0]}, call: x / y}
  - {name: special, given: {x: [.inf]}, call: sigmoid(x)}
  - {name: moved, given: {x: [1.5]}, call: 'reshape(x, shape=[1, 1])'}
  - {name: overflowing, given: {x: [100.0]}, call: exp(x)}
""",
        modes=["eager"],
    )
    thirds, *others = run.records
    assert (thirds.at, thirds.exact, thirds.quantum) == ([1], "0.33333333333333333333", -25)
    assert [record.exact for record in others] == ["", "", ""]


class Slopes(NumpyBackend):
    """Numpy with the gradients of a quotient, the second of which is off."""

    name = "slopes"
    idioms = Idioms(RIGHT)

    def gradient(self, function: Any, inputs: Any, wrt: Any, cotangent: Any) -> list[Any]:
        a, b = inputs
        return [cotangent / b, -np.nextafter(cotangent * a / (b * b), np.float32(1))]


def test_of_a_gradient_the_argument_of_the_measured_element_is_recorded(recorded: Callable[..., Run]) -> None:
    text = "  - {name: slopes, given: {x: [1.5], y: [3.0]}, call: x / y, check: [gradient]}"
    (record,) = recorded(text, Slopes, modes=["eager"]).records
    assert (record.wrt, record.exact, record.at) == ("b", "-0.16666666666666666667", [0])


def test_the_header_holds_the_backends_share_of_scripts_for_each_mode(recorded: Callable[..., Run]) -> None:
    assert recorded(TEXT, TwoModes).header.scripts == {mode: NumpyBackend.script(mode) for mode in TwoModes.modes}
    silent = type("Silent", (TwoModes,), {"name": "silent", "script": classmethod(lambda *_: None)})
    assert recorded(TEXT, silent).header.scripts == {}


def test_a_spelling_is_recorded_with_the_module_and_the_setting_it_needs(recorded: Callable[..., Run]) -> None:
    idioms = {(i.operation, i.name): i for i in recorded(TEXT).header.idioms}
    expit = idioms["sigmoid", "scipy.special.expit"]
    assert (expit.needs.partition(" ")[0], expit.imports, expit.setting) == ("scipy", "scipy.special", "")
    assert idioms["sigmoid", ""].imports == ""


def test_numbers_of_every_kind_are_recorded_as_they_were_made(session: Callable[..., BackendSession]) -> None:
    text = """
  - {name: put, given: {x: {integers: {shape: [3], low: 0, high: 5, seed: 1}, put: {at: [1], value: 9}}}, call: sum(x)}
  - {name: full, given: {x: {full: {shape: [2], value: 1.5}}}, for: {dtype: [complex64]}, call: 'reshape(x, [2, 1])'}
"""
    made = session(text)
    put, full = (made.variant_line(variant).made["x"] for variant in made.selection.variants)
    assert put.put == [1, 9] and type(put.put[1]) is int
    assert full.arguments["value"] == 1.5
    msgspec.json.encode([put, full])


def test_complex_numbers_have_no_exact_answer_and_keep_their_dtype(session: Callable[..., BackendSession]) -> None:
    made = session("  - {name: sum, given: {x: [1.5, 2.0]}, for: {dtype: [complex64]}, call: sum(x)}")
    (result,) = (made.run_variant(variant, "eager") for variant in made.selection.variants)
    assert result.judgement.verdict == "failed"  # nothing says what is due
    assert [finding.channel for finding in result.judgement.findings] == ["value"]
