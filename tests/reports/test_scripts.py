"""The scripts of a page: each part once, and joined again as they are composed."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest

from conformance.backends.torch import TorchBackend
from conformance.reports.scripts import TITLE, Scripts, joined
from conformance.reproduction import Composer, title
from conformance.runfile import CaseLine, IdiomSource, Record, Run, Stored, VariantLine


@pytest.fixture
def runs(make_run: Any) -> list[Run]:
    x = Stored.of(np.array([0.5, 1.0], np.float32))
    lines = {
        f"ops/sigmoid/one[float32,n={n}]": VariantLine(
            f"ops/sigmoid/one[float32,n={n}]", "ops/sigmoid/one", "float32", {"x": x}, x
        )
        for n in range(3)
    }
    records = [Record(name, mode, "passed", got=[x]) for name in lines for mode in ("eager", "compile")]
    made: list[Run] = [
        make_run(
            backend,
            records,
            variants=lines,
            scripts={mode: TorchBackend.script(mode) for mode in ("eager", "compile")} if backend != "silent" else {},
            idioms=[IdiomSource("sigmoid", "def sigmoid(x):\n    return torch.sigmoid(x)")],
        )
        for backend in ("torch", "other", "silent")
    ]
    return made


def test_the_parts_of_all_runs_are_kept_once_and_join_to_the_scripts(runs: list[Run]) -> None:
    scripts = Scripts(runs)
    for number, run in enumerate(runs[:2]):
        (part,) = run.parts()
        for record in part.records:
            variant = part.variants[record.variant]
            numbers = scripts.add(number, part.case, variant, record)
            assert isinstance(numbers, list) and numbers.count(TITLE) == 1
            due = Composer(run.header).compose(part.case, variant, record.mode, record.idiom, record)
            assert joined(numbers, scripts.texts, title(variant.id)) == due.text
    # Twelve scripts: four heads, and one text each for helpers, functions, inputs, call and what is printed.
    assert len(scripts.texts) == 4 + 5
    assert len(set(scripts.texts)) == len(scripts.texts)


def test_where_there_is_no_script_the_reason_stands_instead(runs: list[Run]) -> None:
    (part,) = runs[2].parts()
    record = part.records[0]
    found = Scripts(runs).add(2, part.case, part.variants[record.variant], record)
    assert found == "backend 'silent' has not said how a script runs something in its mode 'eager'"


def test_a_run_file_of_before_has_no_scripts(make_run: Any) -> None:
    """None of the fields that scripts need is there; a report is made all the same."""
    run = make_run("numpy", [Record("ops/sigmoid/one[float32]", "eager", "passed")])
    assert run.header.scripts == {} and msgspec.json.encode(run.header)
    (part,) = run.parts()
    assert isinstance(part.case, CaseLine)
    assert isinstance(Scripts([run]).add(0, part.case, *part.variants.values(), part.records[0]), str)
