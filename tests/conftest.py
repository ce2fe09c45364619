"""What the tests of running and judging share: cases from text, backends that are wrong on purpose, their verdicts."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import pytest

from conformance import backends
from conformance.backends.base import IDIOMS, Backend
from conformance.backends.numpy import NumpyBackend
from conformance.backends.spelling import Idioms
from conformance.casefile.inputs import materialise
from conformance.casefile.loader import load
from conformance.casefile.model import Divergence
from conformance.casefile.variants import Variant
from conformance.execution.executor import Executor
from conformance.execution.outcome import Outcome
from conformance.execution.program import compile_variant
from conformance.judging.divergences import Registry
from conformance.judging.judge import Judge, Judgement
from conformance.runfile import (
    FORMAT,
    CaseLine,
    Header,
    IdiomSource,
    ModeSummary,
    Record,
    Run,
    VariantLine,
    Writer,
    read,
)
from conformance.suite.selection import Selection, select
from conformance.suite.session import BackendSession


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
    judge, executor, registry = Judge(), Executor(backend), Registry(divergences, backend.name, {"numpy": version})
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
        entries = registry.find(variant, mode, idiom)
        verdicts.judgements[variant.id] = judge.judge(variant, program, outcome, entries)
    return verdicts


@pytest.fixture(scope="session", autouse=True)
def interruptible() -> Iterator[None]:
    """Signals mean something to processes that tests start, also where this one is in the background, or under nohup."""
    names = [name for name in ("SIGINT", "SIGHUP", "SIGTERM") if hasattr(signal, name)]  # Windows has no SIGHUP
    before = {number: signal.getsignal(number) for number in (getattr(signal, name) for name in names)}
    ignored = [number for number, handler in before.items() if handler == signal.SIG_IGN]
    for number in ignored:
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    yield
    for number in ignored:
        signal.signal(number, signal.SIG_IGN)


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
    """Run this Python with arguments in an empty folder (or `cwd`), away from the options of this run of pytest.

    Args:
        arguments: paths among them become text.
        packages: a folder whose packages are installed for it.
        cwd, timeout, input: as `subprocess.run` takes them.
        variables: of the environment.
    """
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "COV_", "COVERAGE"))}
    environment |= {"COLUMNS": "200", "PYTHONDONTWRITEBYTECODE": "1"}
    empty = tmp_path / "elsewhere"
    empty.mkdir()

    def run(
        *arguments: Any,
        packages: Path | None = None,
        cwd: Path | None = None,
        timeout: float = 120,
        input: str | None = None,  # noqa: A002 - as subprocess.run calls it
        **variables: str,
    ) -> subprocess.CompletedProcess[str]:
        if packages is not None:
            paths = [str(packages), *filter(None, [environment.get("PYTHONPATH")])]
            variables["PYTHONPATH"] = os.pathsep.join(paths)
        return subprocess.run(
            [sys.executable, *map(str, arguments)],
            cwd=cwd or empty,
            env=environment | variables,
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout,
            input=input,
        )

    return run


@pytest.fixture
def brought(tmp_path: Path) -> Callable[..., Path]:
    """A folder with an installed package whose module is `text`, and names its class as a backend."""

    def made(text: str, name: str = "mine", distribution: str = "brought-by-others", module: str = "brought") -> Path:
        folder = tmp_path / "installed"
        info = folder / f"{distribution.replace('-', '_')}-1.0.dist-info"
        info.mkdir(parents=True)
        (folder / f"{module}.py").write_text(text)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[conformance.backends]\n{name} = {module}:Mine\n")
        return folder

    return made


@pytest.fixture
def with_path(
    python: Callable[..., subprocess.CompletedProcess[str]],
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run this Python in a folder whose packages are installed for it, as `brought` makes one."""
    return lambda folder, *arguments: python(*arguments, packages=folder, cwd=folder)


class _Point:
    def __init__(self, kind: type[Backend]) -> None:
        self._kind = kind

    def load(self) -> type[Backend]:
        return self._kind


@pytest.fixture
def session(folder: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Callable[..., BackendSession]:
    """A session of a backend over cases given as text."""

    def made(
        text: str,
        backend: Backend | type[Backend] | None = None,
        device: str = "cpu",
        modes: Sequence[str] = (),
        patterns: Sequence[str] = (),
        **files: Any,
    ) -> BackendSession:
        name = "numpy"
        if backend is not None:
            kind = backend if isinstance(backend, type) else type(backend)
            name = kind.name
            monkeypatch.setattr(backends, "entry_points", lambda: {name: _Point(kind)})
        root = folder(text, **files)
        return BackendSession(name, select(root, patterns), device, modes)

    return made


class MakeRun(Protocol):
    """What makes up a run for the tests of reports: no framework, no case files."""

    def __call__(self, backend: str, records: Sequence[Record], **changes: Any) -> Run: ...


def _case_of(variant: str) -> str:
    return variant.partition("[")[0]


@pytest.fixture(scope="session")
def run_maker() -> Callable[[Path], MakeRun]:
    """For a folder, what makes a run of a backend from its records; cases, variants and manifest follow from them.

    Changes: as `write_run` takes them.
    """
    return lambda folder: partial(_make_run, folder)


@pytest.fixture(scope="session")
def write_run() -> Callable[..., Path]:
    """What writes a run file to a path, of a backend, from its records.

    Changes: `variants` (lines that stand for the made-up ones), `cases` (likewise), `lacking` (records that each mode
    lacks), `finished` (False: no footer), and any field of the header.
    """
    return _write_run


@pytest.fixture
def make_run(run_maker: Callable[[Path], MakeRun], tmp_path: Path) -> MakeRun:
    """Makes runs in this test's own folder (see `run_maker`)."""
    return run_maker(tmp_path)


def _make_run(folder: Path, backend: str, records: Sequence[Record], **changes: Any) -> Run:
    made = len(list(folder.iterdir()))
    return read(_write_run(folder / f"{made}" / f"{backend}.jsonl", backend, records, **changes))


def _write_run(path: Path, backend: str, records: Sequence[Record], **changes: Any) -> Path:
    lines: Mapping[str, VariantLine] = changes.pop("variants", {})
    cases: Mapping[str, CaseLine] = changes.pop("cases", {})
    lacking, finished = changes.pop("lacking", 0), changes.pop("finished", True)
    modes = list(dict.fromkeys(record.mode for record in records)) or ["eager"]
    counted = {mode: sum(record.mode == mode for record in records) for mode in modes}
    fields: dict[str, Any] = {
        "format": FORMAT,
        "suite": "0.1.0",
        "backend": backend,
        "device": "cpu",
        "versions": {backend: "1.2.3"},
        "environment": {"python": "3.11.7", "system": "Linux x86_64", "processor": "a processor", "cores": "2"},
        "cases_digest": "ab" * 32,
        "manifest_digest": "cd" * 32,
        "modes": [ModeSummary(mode, counted[mode] + lacking, flushes_subnormals=False) for mode in modes],
        "operations": {"sigmoid": {"document": "torch.nn.Sigmoid()(x)", "summary": "1 / (1 + exp(-x))"}},
        "idioms": [IdiomSource("sigmoid", f"def sigmoid(x):\n    return {backend}.sigmoid(x)")],
        "started": "2030-01-02T03:04:05+00:00",
    }
    writer = Writer(path, Header(**fields | changes))
    for record in records:
        name = lines[record.variant].case if record.variant in lines else _case_of(record.variant)
        case = cases.get(name) or CaseLine(
            name, name.split("/")[-2], f"{name}.yaml", f"  - name: {name}", "", "sigmoid(x)", False
        )
        line = lines.get(record.variant) or VariantLine(record.variant, name, "float32", {})
        writer.case(lambda case=case: case, name)
        writer.variant(lambda line=line: line, record.variant)
        writer.record(record)
    if finished:
        writer.finish("2030-01-02T03:05:00+00:00")
    else:
        writer.close()
    return path
