"""What the tests of running and judging share: cases from text, backends that are wrong on purpose, their verdicts."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from conformance import backends
from conformance.backends.base import IDIOMS, Backend
from conformance.backends.numpy import NumpyBackend
from conformance.backends.spelling import Idioms
from conformance.casefile.inputs import materialise
from conformance.casefile.loader import load
from conformance.casefile.model import Divergence
from conformance.casefile.variants import Variant
from conformance.corpus import Selection, select
from conformance.divergences import Registry
from conformance.execution import Executor, Outcome
from conformance.judging import Judge, Judgement
from conformance.program import compile_variant


@dataclass
class Verdicts:
    """What came of a run over some variants."""

    judgements: dict[str, Judgement]
    outcomes: dict[str, Outcome]

    def __getitem__(self, name: str) -> Judgement:
        """The judgement of the only variant whose ID holds the name."""
        (found,) = (j for variant, j in self.judgements.items() if name in variant)
        return found

    def ids(self, verdict: str) -> list[str]:
        """The variants of a verdict."""
        return [variant for variant, judgement in self.judgements.items() if judgement.verdict == verdict]

    def failed(self) -> set[str]:
        """The channels of all findings of failed variants."""
        return {f.channel for j in self.judgements.values() if j.verdict == "failed" for f in j.findings}


def _run(
    variants: Iterable[Variant],
    backend: Backend,
    divergences: Sequence[tuple[str, Divergence]],
    version: str,
    mode: str,
    idiom: str = "",
) -> Verdicts:
    judge, executor, registry = Judge(), Executor(backend), Registry(divergences, backend.name, version)
    verdicts = Verdicts({}, {})
    for variant in variants:
        program, inputs = compile_variant(variant), list(materialise(variant).values())
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # as in a session: what a framework warns of is judged by its result
            executed = backend.modes[0] if mode == IDIOMS else mode
            if variant.check == "value":
                aliasing = variant.case.expect.aliases is not None
                outcome = executor.run(program, inputs, executed, idiom, aliasing)
            else:
                outcome = executor.gradient(program, inputs, executed, idiom)
        verdicts.outcomes[variant.id] = outcome
        entry = registry.find(variant, mode, idiom)
        verdicts.judgements[variant.id] = judge.judge(variant, program, outcome, entry)
    return verdicts


@pytest.fixture(scope="module", params=["numpy", "torch", "tensorflow", "jax"])
def framework(request: pytest.FixtureRequest) -> Any:
    """Each framework that is installed, started."""
    kind = backends.load(request.param)
    if missing := kind.not_installed():
        pytest.skip(missing)
    made = kind()
    made.start()
    return made


@pytest.fixture
def numpy_with() -> Callable[..., NumpyBackend]:
    """The numpy backend with some of its idioms replaced (None: left out), and some of its methods.

    Its operations have no other spellings but those given: functions by name, by operation.
    """

    def made(
        methods: Mapping[str, Any] | None = None,
        spellings: Mapping[str, Mapping[str, Any]] | None = None,
        **idioms: Any,
    ) -> NumpyBackend:
        changed = Idioms()
        for operation, functions in (spellings or {}).items():
            for name, function in functions.items():
                changed(operation, name)(function)
        for name, function in {**NumpyBackend.idioms, **idioms}.items():
            if function is not None:
                changed(name)(function)
        kind = type("Replaced", (NumpyBackend,), {"idioms": changed, **(methods or {})})
        made_: NumpyBackend = kind()
        return made_

    return made


@pytest.fixture(scope="session")
def document() -> Selection:
    """The document's own cases."""
    return select(None, ["document/*"])


@pytest.fixture
def on_document(document: Selection) -> Callable[..., Verdicts]:
    """Run the document's cases whose file, and name, begin as given on a backend, divergences applied."""

    def run(backend: Backend, *begins: str, mode: str = "eager") -> Verdicts:
        wanted = tuple("document/" + part for part in begins or ("",))
        variants = [v for v in document.variants if v.id.startswith(wanted)]
        assert variants
        return _run(variants, backend, document.corpus.divergences, "2.4.6", mode)

    return run


@pytest.fixture
def folder(tmp_path: Path) -> Callable[..., Path]:
    """A folder of cases: `text` as the entries of ``things.yaml``, and other files by path."""

    def written(text: str = "", **files: str) -> Path:
        root = tmp_path / "cases"
        if text:
            files["things.yaml"] = text if re.search("^cases:", text, re.MULTILINE) else f"cases:\n{text}"
        for name, content in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
        return root

    return written


@pytest.fixture
def on_cases(folder: Callable[..., Path]) -> Callable[..., Verdicts]:
    """Run cases given as text on a backend (by default plain numpy), divergences given as text applied."""

    def run(
        text: str,
        backend: Backend | None = None,
        divergences: str = "",
        version: str = "2.4.6",
        mode: str = "eager",
        idiom: str = "",
    ) -> Verdicts:
        registry = {"divergences/numpy.yaml": f"backend: numpy\ndivergences:\n{divergences}"} if divergences else {}
        corpus = load(folder(text, **registry))
        return _run(corpus.variants(), backend or NumpyBackend(), corpus.divergences, version, mode, idiom)

    return run


@pytest.fixture
def variants(folder: Callable[..., Path]) -> Callable[[str], list[Variant]]:
    """The variants of cases given as text."""
    return lambda text: list(load(folder(text)).variants())


@pytest.fixture
def python(tmp_path: Path) -> Iterator[Callable[..., subprocess.CompletedProcess[str]]]:
    """Run this Python with arguments in an empty folder (or `cwd`), away from the options of this run of pytest."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "COV_", "COVERAGE"))}
    environment |= {"COLUMNS": "200", "PYTHONDONTWRITEBYTECODE": "1"}
    empty = tmp_path / "elsewhere"
    empty.mkdir()

    def run(*arguments: str, cwd: Path | None = None, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=cwd or empty,
            env=environment | variables,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    return run
