"""`conformance run`: one pytest process a backend, watched through the run file it writes."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from conformance import backends, runfile
from conformance.casefile.loader import Corpus
from conformance.ground import processes
from conformance.ground.devices import file_stem
from conformance.ground.verdicts import FAILURES
from conformance.judging.divergences import Registry
from conformance.runfile import CANT_WRITE, LOST_RUN_FILE, CaseLine, Header, Record, Run, RunFileError, UnwritableError
from conformance.running.child import PYTEST_RAN, PYTEST_USAGE, Child, follow, pytest_command, repeated, start
from conformance.running.following import Followed
from conformance.suite.filing import parts_of
from conformance.suite.ordering import coupled

_POLL_SECONDS = 0.05
_MOST_WORKERS = 4
_VARIANTS_OF_A_WORKER = 400
"""Fewer are run sooner by one process than another one has imported its framework."""

TIMEOUT = 60.0
"""Seconds that a variant may take, compiling included."""


@dataclass(frozen=True, slots=True)
class Request:
    """What `conformance run` was asked for.

    Attributes:
        backends: names.
        modes: names; empty for all of each backend.
        device: its name, as `conformance.ground.devices` has it.
        keyword: pytest's ``-k`` expression, or empty.
        variants: patterns of variant IDs; empty for all.
        cases: the case files, or None for those that come with the suite.
        output: the folder of the run files.
        jobs: how many backends run at once.
        random_order: the seed of another order than that of the files; None for theirs.
        timeout: seconds that a variant may take; 0 for any time.
        workers: processes among which the cases of each backend are shared out.
        shard: which share of the cases, '3/8'; empty for all.
        resume: go on with the run files that are there.
        kernels: what the frameworks are held to (`Backend.kernel_choices`); empty for their own choice.
    """

    backends: Sequence[str]
    output: Path
    modes: Sequence[str] = ()
    device: str = "cpu"
    keyword: str = ""
    variants: Sequence[str] = ()
    cases: Path | None = None
    jobs: int = 1
    random_order: int | None = None
    timeout: float = TIMEOUT
    workers: int = 1
    shard: str = ""
    resume: bool = False
    kernels: str = ""

    def run_file(self, backend: str) -> Path:
        """Where a backend's run is recorded."""
        return self.output / f"{file_stem(backend, self.device, self.kernels, self.shard.replace('/', 'of'))}.jsonl"

    def command(self, backend: str) -> list[str]:
        """The pytest command of one backend."""
        known = backends.load(backend).run_modes(self.device)
        modes = [mode for mode in self.modes if mode in known]
        command = pytest_command("conformance.suite", backend, self.device, modes, self.keyword)
        command += ["--run-file", str(self.run_file(backend)), *repeated("--variant", self.variants)]
        command += ["--cases", str(self.cases)] if self.cases else []
        if self.random_order is not None:
            command += ["--conformance-random-order", str(self.random_order)]
        command += ["--shard", self.shard] if self.shard else []
        command += ["--resume"] if self.resume else []
        command += ["--kernels", self.kernels] if self.kernels else []
        if hasattr(os, "fork"):  # elsewhere a crash ends the backend's process, and --resume goes on from there
            command += ["-s", "--supervise", str(self.timeout), "--workers", str(self.workers)]
        return command


def fitting_workers(at_once: int, variants: int) -> int:
    """So many workers for each backend that no core is idle, and no worker has little to do.

    Args:
        at_once: how many backends run at once.
        variants: how many each of them runs in a mode.
    """
    return max(1, min(processes.cores() // max(at_once, 1), variants // _VARIANTS_OF_A_WORKER, _MOST_WORKERS))


def _start(request: Request, backend: str, locks: Sequence[int]) -> Child[Followed]:
    held = backends.load(backend).kernel_choices()[request.kernels].variables if request.kernels else {}
    return start(
        backend,
        request.command(backend),
        Followed(request.run_file(backend), going_on=request.resume),
        {processes.PARENT: str(os.getpid()), **held},
        start_new_session=True,  # Ctrl-C is this process' to handle
        pass_fds=locks,
    )


def run(
    request: Request, watch: Callable[[list[Child[Followed]]], None], locks: Sequence[int] = ()
) -> tuple[list[Child[Followed]], list[str]]:
    """Run every backend, at most `request.jobs` at once; calls `watch` with all processes so far, again and again.

    A mistake in the command ends all of them. So does an exception (Ctrl-C, say); what they recorded stays.

    Args:
        request: what to run.
        watch: shows where the processes stand.
        locks: descriptors that hold locks; each process holds them too while it lives.

    Returns:
        The processes, and a line for each that the system did not give.
    """
    # Those with most modes take longest; started first, they leave the shortest tail.
    names = sorted(request.backends, key=lambda name: -len(backends.load(name).run_modes()))
    children: list[Child[Followed]] = []
    others = processes.children()
    processes.adopt_orphans()
    try:
        refused = follow(
            children,
            names,
            request.jobs,
            lambda name: _start(request, name, locks),
            watch,
            _POLL_SECONDS,
            lambda child: child.status == PYTEST_USAGE,
        )
    finally:
        processes.end_children(spare=others)  # what is left of a process that could not see to that itself
        for child in children:
            child.said.close()
    for child in children:
        child.look()
        child.followed.close()
    return sorted(children, key=lambda child: list(request.backends).index(child.backend)), refused


def in_another_order(request: Request, seed: int) -> Request:
    """The same once more in a random order, into a folder beside the run files.

    Args:
        request: of the first run.
        seed: of the order.
    """
    return replace(request, output=request.output / "random-order", random_order=seed)


def forget_older(again: Request, runs: Sequence[Run]) -> None:
    """Remove run files in another order that are of older runs than these: they are not to be gone on with.

    Args:
        again: the request of the runs in another order.
        runs: what came of those in the order of the files.
    """
    for one in runs:
        path = again.run_file(one.header.backend)
        for file in (path, *parts_of(path)):
            with suppress(RunFileError):  # there is none, or nothing in it
                if runfile.read_header(file).started < one.header.started:
                    file.unlink()


def coupled_outcomes(runs: Sequence[Run], shuffled: Sequence[Run]) -> list[str]:
    """A line for each outcome that depends on the order.

    Args:
        runs: in the order of the files.
        shuffled: in another order.
    """
    first = {one.header.backend: one for one in runs}
    return [line for other in shuffled if (one := first.get(other.header.backend)) for line in coupled(one, other)]


def held_to_others(request: Request, asked: Sequence[str]) -> list[Request]:
    """The same, held to other kernels: a request for each, of the backends that can be held to it.

    Args:
        request: of a run with the frameworks' own choice.
        asked: names of kernels; 'all' for those that are others than what runs here anyway.

    Raises:
        ValueError: none of the backends can be held to one of them.
    """
    choices = {name: backends.load(name).kernel_choices() for name in request.backends}
    every = dict.fromkeys(kernels for own in choices.values() for kernels in own)
    for kernels in asked:
        if kernels not in (*every, ALL_KERNELS):
            raise ValueError(
                f"none of {', '.join(request.backends)} can be held to '{kernels}' here; there are "
                f"{', '.join((*every, ALL_KERNELS))}"
            )

    def wanted(name: str, kernels: str) -> bool:
        choice = choices[name].get(kernels)
        return choice is not None and (kernels in asked or (ALL_KERNELS in asked and choice.other))

    held = {kernels: [name for name in request.backends if wanted(name, kernels)] for kernels in every}
    return [replace(request, backends=names, kernels=kernels) for kernels, names in held.items() if names]


ALL_KERNELS = "all"


def with_modes(names: Sequence[str], modes: Sequence[str], device: str = "cpu") -> list[str]:
    """The backends that have at least one of the modes on a device; all of them where no mode is asked for."""
    return [name for name in names if not modes or set(modes) & set(backends.load(name).run_modes(device))]


def collect(children: Sequence[Child[Followed]]) -> tuple[list[Run], list[str]]:
    """The run files of the processes, and a line for everything that kept a run from being whole."""
    runs, problems = [], []
    for child in children:
        said, path = child.last_words, child.followed.path
        if child.status is not None and child.status >= CANT_WRITE:
            problems.append(f"{UnwritableError.of_status(path, child.status)}; what was recorded until then is in it")
        elif child.status == LOST_RUN_FILE:
            what = "changed" if child.followed.there else "removed"
            problems.append(f"{path}: was {what} by somebody else while it was being written")
        elif child.status not in PYTEST_RAN:
            problems.append(f"{child.ended}:\n{said}")
        elif not child.followed.there:  # Python, too, ends with status 1 where it can't even begin
            problems.append(f"{child.ended}, without a run file:\n{said}")
        try:
            if child.followed.there:
                run = runfile.read(path)
                runs.append(run)
                if run.footer is not None and not run.footer.stopped and not run.complete:
                    # Something broke while judging.
                    problems.append(f"{child.backend}: what its process said last:\n{said}")
        except RunFileError as error:
            problems.append(str(error))
    return runs, problems + [text for run in runs for text in shortcomings(run)]


def mistakes(children: Sequence[Child[Followed]]) -> list[str]:
    """What pytest says of a mistake in the command, of each process that found one."""
    found = [child.said.text().strip() for child in children if child.status == PYTEST_USAGE]
    return list(dict.fromkeys(text.rpartition("ERROR: ")[2] for text in found))  # after 'no tests ran in 0.1s'


def in_order(runs: Sequence[Run]) -> list[Run]:
    """Runs in the order of the backends."""
    return sorted(runs, key=lambda run: backends.place(run.header.backend))


def shortcomings(run: Run) -> list[str]:
    """Why a run can't be taken for a whole one; empty where it can."""
    if not ran(run):
        reasons = sorted({record.reason for part in run.parts() for record in part.records})
        return [f"{run.header.backend}: nothing could run: {'; '.join(reasons)}"]
    if run.complete:
        return []
    missing = ", ".join(f"{n:,} of {mode}" for mode, n in run.missing().items())
    if run.footer is not None and run.footer.stopped:
        return [f"{run.header.backend}: {run.footer.stopped}; not run: {missing}"]
    return [f"{run.header.backend}: the run is incomplete; missing: {missing or 'its footer'}"]


def registry_notes(corpus: Corpus, headers: Sequence[Header]) -> list[str]:
    """Lines about registered divergences that decide nothing here, or not all they do elsewhere.

    For each backend that ran, one about those of other versions, and one about those that were seen on other machines,
    devices or kernels only.
    """
    lines = []
    for header in headers:
        name, versions, device = header.backend, header.versions, header.device
        registry = Registry(corpus.divergences, name, versions, device, header.kernels)
        of = f"of the {len(registry.entries):,} registered divergences of {name}"
        if others := registry.of_other_versions():
            named = dict.fromkeys(package for entry in others for package in entry.ranges(versions))
            here = ", ".join(f"{package} {versions.get(package, '')}" for package in named)
            verb, pronoun = ("is", "it decides") if len(others) == 1 else ("are", "they decide")
            lines.append(f"note: {len(others):,} {of} {verb} about other versions than {here}; here {pronoun} nothing")
        if elsewhere := len(registry.elsewhere()):
            here = " ".join(filter(None, (platform.machine(), device, header.kernels and f"({header.kernels})")))
            lines.append(
                f"note: {elsewhere:,} {of} were seen on other machines, devices or kernels than {here}; here they "
                f"explain what they describe and need not show"
            )
    return list(dict.fromkeys(lines))


def exit_status(runs: Sequence[Run], problems: Sequence[str]) -> int:
    """0: all passed or registered. 1: something failed. 3: a run is incomplete, or nothing of it could run."""
    if problems:
        return 3
    return 1 if any(map(_failed, runs)) else 0


def ran(run: Run) -> bool:
    """Whether anything at all was tried: a run whose every variant is unsupported shows nothing."""
    return any(n for counts in run.recorded.values() for verdict, n in counts.items() if verdict != "unsupported") or (
        not run.size
    )


def summary(runs: Sequence[Run]) -> Iterator[tuple[str, str, str, str]]:
    """For each backend and mode: framework and version, mode, size of the manifest, and the verdicts in words."""
    for run in runs:
        version = next(iter(run.header.versions.values()), "")
        counts = run.counts()
        for i, mode in enumerate(run.header.modes):
            words = [f"{n:,} {verdict}" for verdict, n in counts[mode.name].items() if n]
            if mode.left_out:
                words.append(f"({mode.left_out:,} not in this mode's subset)")
            held = f" held to {run.header.held_to}" if run.header.held else ""
            shard = f", {run.header.shard}" if run.header.shard else ""
            yield (
                f"{run.header.backend} {version}{held}{shard}" if i == 0 else "",
                mode.name,
                f"{mode.variants:,}",
                "  ".join(words),
            )


def failures(runs: Sequence[Run]) -> Iterator[tuple[Run, CaseLine, Record]]:
    """Every record that neither passed nor is registered nor unsupported, with its case."""
    for run in runs:
        if _failed(run):
            for part in run.parts():
                for record in part.records:
                    if record.verdict in FAILURES:
                        yield run, part.case, record


def _failed(run: Run) -> int:
    return sum(counts[verdict] for counts in run.recorded.values() for verdict in FAILURES)
