"""The mode `idioms`: other spellings of an operation are run, judged and recorded each by itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conformance import backends, runfile
from conformance.backends.base import IDIOMS
from conformance.backends.numpy import NumpyBackend
from conformance.backends.spelling import Idioms, Unsupported
from conformance.runfile import Run
from conformance.suite.selection import Share, select
from conformance.suite.session import BackendSession, describe_failure

RIGHT = dict(NumpyBackend.idioms)


def right_sigmoid(x: Any) -> Any:
    return RIGHT["sigmoid"](x)


def doubled_sigmoid(x: Any) -> Any:
    return RIGHT["sigmoid"](x) * x.dtype.type(2)


def softmax_of_rank_1(x: Any) -> Any:
    return RIGHT["softmax"](x, axis=0)


class Spelled(NumpyBackend):
    """Numpy with other spellings, one of them wrong, and with a mode that compiles."""

    name = "spelled"
    modes = ("eager", "jit")
    idioms = Idioms(RIGHT)


Spelled.idioms("sigmoid", "lib.sigmoid")(right_sigmoid)
Spelled.idioms("sigmoid", "formula: doubled")(doubled_sigmoid)
Spelled.idioms("softmax", "lib.softmax")(softmax_of_rank_1)
Spelled.idioms("exp", "lib.exp", cases="*/one")(RIGHT["exp"])
Spelled.idioms("log", "elsewhere.log", needs="no_such_module")(RIGHT["log"])

FORMULAS = ["formula: 1 / (1 + exp(-x))", "formula: exp(x) / (1 + exp(x))"]
"""What is run of a sigmoid wherever there is an exponential."""

TEXT = """
  - {name: one, given: {x: [0.0, 1.0]}, for: {dtype: [float32, float64]}, call: sigmoid(x)}
  - {name: whole, given: {x: [1, 2]}, call: sum(x)}
"""


def run_all(session: BackendSession, path: Path) -> Run:
    items = [(mode, case.id) for case in session.selection.cases for mode in session.modes]
    items = [(mode, i) for mode, i in items if i in session.selection.share(session.name, mode).variants]
    session.record_to(path, items)
    for mode, case_id in items:
        session.run_case(next(c for c in session.selection.cases if c.id == case_id), mode)
    session.finish(True)
    return runfile.read(path)


@pytest.fixture
def recorded(session: Callable[..., BackendSession], tmp_path: Path) -> Callable[..., Run]:
    """The run file of a whole run of the backend above."""
    return lambda text, backend=Spelled, **kwargs: run_all(session(text, backend, **kwargs), tmp_path / "run.jsonl")


def test_a_wrong_spelling_fails_in_the_mode_idioms_alone_and_is_named(recorded: Callable[..., Run]) -> None:
    run = recorded(TEXT)
    assert run.complete
    assert {(r.mode, r.idiom, r.verdict) for r in run.records if r.variant == "things/one[float32]"} == {
        ("eager", "", "passed"),
        ("jit", "", "passed"),
        ("idioms", "lib.sigmoid", "passed"),
        ("idioms", "formula: doubled", "failed"),
        *(("idioms", formula, "passed") for formula in FORMULAS),
    }
    assert {r.variant for r in run.records if r.verdict == "failed"} == {"things/one[float32]", "things/one[float64]"}


def test_what_has_no_other_spelling_is_not_in_the_manifest_of_the_mode_idioms(recorded: Callable[..., Run]) -> None:
    run = recorded(TEXT)
    assert [(m.name, m.variants) for m in run.header.modes] == [("eager", 3), ("jit", 3), ("idioms", 8)]
    assert {r.variant.partition("[")[0] for r in run.records if r.mode == "idioms"} == {"things/one"}
    assert run.counts()["idioms"] == {**run.counts()["idioms"], "passed": 6, "failed": 2}


def test_a_wrong_primary_spelling_fails_in_its_modes_and_not_in_the_mode_idioms(recorded: Callable[..., Run]) -> None:
    class Swapped(Spelled):
        idioms = Idioms({**RIGHT, "sigmoid": doubled_sigmoid})

    Swapped.idioms("sigmoid", "lib.sigmoid")(right_sigmoid)
    verdicts = {(r.mode, r.idiom): r.verdict for r in recorded(TEXT, Swapped).records if "one[float32]" in r.variant}
    right = {("idioms", name): "passed" for name in ("lib.sigmoid", *FORMULAS)}
    assert verdicts == {("eager", ""): "failed", ("jit", ""): "failed", **right}


def test_the_run_file_holds_the_source_of_every_spelling_and_what_it_needs(recorded: Callable[..., Run]) -> None:
    text = TEXT + "  - {name: log, given: {x: [1.0]}, call: log(x)}\n"
    sources = {(i.operation, i.name): i for i in recorded(text).header.idioms}
    assert set(sources) == {
        ("sigmoid", ""), ("sigmoid", "lib.sigmoid"), ("sigmoid", "formula: doubled"), ("sum", ""),
        ("log", ""), ("log", "elsewhere.log"), *(("sigmoid", formula) for formula in FORMULAS),
    }  # fmt: skip
    assert sources["sigmoid", "formula: doubled"].source.splitlines()[0] == "def doubled_sigmoid(x: Any) -> Any:"
    assert [sources[key].needs for key in (("sigmoid", ""), ("log", "elsewhere.log"))] == ["", "no_such_module"]
    plain = recorded(text, modes=["eager"]).header.idioms
    assert {i.name for i in plain} == {""}


def test_a_needed_distribution_is_recorded_with_its_version(recorded: Callable[..., Run]) -> None:
    class Needing(Spelled):
        idioms = Idioms(RIGHT)

    Needing.idioms("sigmoid", "with pytest", needs="pytest")(right_sigmoid)
    (spelling,) = (i for i in recorded(TEXT, Needing).header.idioms if i.name not in ("", *FORMULAS))
    assert spelling.needs == f"pytest {pytest.__version__}"


def test_a_spelling_whose_need_is_not_installed_is_unsupported_beside_the_others(recorded: Callable[..., Run]) -> None:
    run = recorded("  - {name: log, given: {x: [1.0]}, call: log(x)}")
    (made,) = (r for r in run.records if r.mode == "idioms")
    assert (made.verdict, made.idiom, made.got) == ("unsupported", "elsewhere.log", [])
    assert made.reason.startswith("no_such_module can't be imported")
    assert {r.verdict for r in run.records if r.mode != "idioms"} == {"passed"}


def test_a_spelling_that_says_it_is_unsupported_is_so(recorded: Callable[..., Run]) -> None:
    def refusing(x: Any) -> Any:
        raise Unsupported("this build has it not")

    class Refusing(Spelled):
        idioms = Idioms(RIGHT)

    Refusing.idioms("sigmoid", "other")(refusing)
    (first, *_) = (r for r in recorded(TEXT, Refusing).records if r.idiom)
    assert (first.verdict, first.reason) == ("unsupported", "this build has it not")


def test_other_spellings_run_in_the_plain_mode(session: Callable[..., BackendSession]) -> None:
    modes: list[str] = []

    class Noting(Spelled):
        def compile(self, function: Any, mode: str) -> Any:
            modes.append(mode)
            return function

        def missing_mode(self, mode: str) -> str:
            return "" if mode == "eager" else f"no {mode} here"

    made = session(TEXT, Noting)
    result = made.run_variant(made.selection.variants[0], IDIOMS, "lib.sigmoid")
    assert result.judgement.verdict == "passed"
    assert modes == ["eager"]
    assert made.run_variant(made.selection.variants[0], "jit").judgement.reason == "no jit here"


def test_spellings_are_compiled_each_by_itself(session: Callable[..., BackendSession]) -> None:
    made = session(TEXT, Spelled)
    variant = made.selection.variants[0]
    for _ in range(2):
        for mode, idiom, due in [
            ("eager", "", 0.5), (IDIOMS, "lib.sigmoid", 0.5), (IDIOMS, "formula: doubled", 1.0), ("jit", "", 0.5),
        ]:  # fmt: skip
            assert made.run_variant(variant, mode, idiom).outcome.received[-1][0] == np.float32(due)


def test_a_failure_in_words_names_the_spelling_and_how_to_repeat_it(session: Callable[..., BackendSession]) -> None:
    made = session(TEXT, Spelled)
    text = describe_failure(made, made.run_variant(made.selection.variants[0], IDIOMS, "formula: doubled"))
    assert text.splitlines()[0].startswith("FAILED  things/one[float32]   spelled idioms (formula: doubled)   channel:")
    assert "--backend spelled --mode idioms" in text.splitlines()[-1]


REGISTRY = """backend: spelled
divergences:
  - cases: things/one*
    instead: {ulp: [1.0e+6, 1.0e+17]}
    because: It is twice as much.
    first-seen: numpy 2
    link: https://example.org/why
"""


def test_a_divergence_of_a_spelling_is_recorded_with_its_reason_and_link(recorded: Callable[..., Run]) -> None:
    of_formulas = REGISTRY + "    idioms: ['*doubled']\n"
    run = recorded(TEXT, **{"divergences/spelled.yaml": of_formulas})
    found = {(r.mode, r.idiom, r.verdict, r.reason, r.link) for r in run.records if "one" in r.variant and r.idiom}
    assert found == {
        ("idioms", "lib.sigmoid", "passed", "", ""),
        ("idioms", "formula: doubled", "divergent", "It is twice as much.", "https://example.org/why"),
        *(("idioms", formula, "passed", "", "") for formula in FORMULAS),
    }
    assert {r.verdict for r in run.records if not r.idiom} == {"passed"}


def test_an_entry_without_idioms_leaves_the_other_spellings_alone(recorded: Callable[..., Run]) -> None:
    run = recorded(TEXT, **{"divergences/spelled.yaml": REGISTRY})
    verdicts = {(r.mode, r.idiom): r.verdict for r in run.records if r.variant == "things/one[float32]"}
    assert verdicts[IDIOMS, "formula: doubled"] == "failed"
    assert verdicts["eager", ""] == "failed"  # of the primary one it is said that it deviates, and it doesn't


# What is run in which spelling


@pytest.fixture
def share(folder: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Share]:
    """The share of the mode `idioms` of the backend above in cases given as text."""

    class Point:
        def load(self) -> Any:
            return Spelled

    monkeypatch.setattr(backends, "entry_points", lambda: {"spelled": Point()})
    return lambda text, **files: select(folder(text, **files)).share("spelled", IDIOMS)


@pytest.mark.parametrize(
    ("case", "spellings"),
    [
        ("name: one, given: {x: [1.0]}, call: sigmoid(x)", ["lib.sigmoid", "formula: doubled", *FORMULAS]),
        ("name: one, given: {x: [1.0]}, call: softmax(x)", ["lib.softmax"]),
        (
            "name: one, given: {x: [1.0]}, call: 'softmax(x, axis=0)'",
            ["formula: exp(x) / sum(exp(x))"],
        ),  # the other one takes no axis
        ("name: one, given: {x: [1.0]}, call: exp(x)", ["lib.exp"]),
        ("name: two, given: {x: [1.0]}, call: exp(x)", []),  # which that spelling is not meant for
        ("name: one, given: {x: [1.0]}, call: -x", []),
        ("name: one, given: {x: [1.0]}, call: exp(sigmoid(x))", []),  # which of the two would be meant?
        ("name: one, given: {x: [1.0]}, call: sigmoid(-x)", []),
        ("name: one, given: {x: [1.0]}, claim: sigmoid(x) <= 1", []),
        ("name: one, given: {x: [1.0]}, call: sigmoid(x), draw: accuracy", []),  # drawn are the primary spellings
        (
            "name: one, given: {x: [1.0]}, call: sigmoid(x), check: [gradient]",
            ["lib.sigmoid", "formula: doubled", *FORMULAS],
        ),
    ],
)
def test_a_case_is_run_in_the_other_spellings_of_its_one_operation_that_take_its_arguments(
    case: str, spellings: list[str], share: Callable[..., Share]
) -> None:
    found = share(f"  - {{{case}}}")
    assert found.count == len(spellings)
    for variants in found.variants.values():
        for variant in variants:
            assert found.spellings(variant) == spellings
    assert bool(found.variants) == bool(spellings)


def test_a_mode_of_execution_runs_every_variant_in_the_primary_spelling(folder: Callable[..., Path]) -> None:
    eager = select(folder(TEXT)).share("numpy", "eager")
    assert (eager.count, eager.idioms) == (3, {})
    assert [eager.spellings(v) for vs in eager.variants.values() for v in vs] == [[""]] * 3


def test_what_a_subset_leaves_out_counts_once_for_each_spelling(share: Callable[..., Share]) -> None:
    subset = "subsets:\n  - {backend: spelled, mode: idioms, because: it takes long, variants: ['*[float64]']}\n"
    found = share(TEXT, **{"subsets.yaml": subset})
    assert (found.count, found.left_out, found.because) == (4, 4, "it takes long")


def test_what_is_run_is_idioms_only_where_there_are_some() -> None:
    class Plain(NumpyBackend):
        idioms = Idioms(RIGHT)

    assert Plain.run_modes() == ("eager",)
    assert Spelled.run_modes() == ("eager", "jit", "idioms")
    assert "idioms" not in Spelled.modes


def test_a_session_without_other_spellings_has_no_mode_idioms(session: Callable[..., BackendSession]) -> None:
    class Plain(NumpyBackend):
        name = "plain"
        idioms = Idioms(RIGHT)

    assert session(TEXT, Plain).modes == ["eager"]
    with pytest.raises(backends.UnknownBackendError, match="'plain' has no mode 'idioms'; it has eager"):
        session(TEXT, Plain, modes=["idioms"])
    assert session(TEXT, Spelled, modes=["idioms"]).modes == ["idioms"]
