"""Run files from many machines brought together: one for each backend and device."""

from __future__ import annotations

import re
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from conformance import runfile
from conformance.ground.devices import file_stem
from conformance.runfile import Header, JoinError, Run

_FILE_NAME = re.compile(r"\w[\w.+ -]{0,200}")


def merge(paths: Sequence[Path], folder: Path) -> list[Path]:
    """Join run files, shards or other parts of runs, into one for each backend, device, and kernels held to.

    Args:
        paths: of the run files.
        folder: where the joined ones go, as ``BACKEND-DEVICE.jsonl``, or with the kernels' name behind the device; it
            may hold some of the others.

    Returns:
        The paths of the joined files.

    Raises:
        JoinError: they are of different cases, or not parts of one run, or hold the same twice.
        RunFileError: one of them can't be read.
        UnwritableError: a joined file can't be written.
    """
    headers = {path: runfile.read_header(path) for path in paths}
    _check_cases(headers)
    groups: dict[str, list[Path]] = defaultdict(list)
    for path, header in headers.items():
        groups[_name(path, header)].append(path)
    for name, group in groups.items():
        runfile.join(group, folder / name)
    return [folder / name for name in groups]


def _name(path: Path, header: Header) -> str:
    """The name of a joined file. What a file from elsewhere says must not lead out of the folder."""
    name = f"{file_stem(header.backend, header.device, header.held_to)}.jsonl"
    if not _FILE_NAME.fullmatch(name):
        raise JoinError(f"{path}: a file can't be named after its backend '{header.backend}' and device")
    return name


def _check_cases(headers: dict[Path, Header]) -> None:
    (first, known), *others = headers.items()
    for path, header in others:
        if header.cases_digest != known.cases_digest:
            raise JoinError(
                f"{path}: other case files ({header.cases_digest[:8]}) than {first} ({known.cases_digest[:8]})"
            )


@contextmanager
def gathered(paths: Sequence[Path]) -> Iterator[list[Run]]:
    """Run files as a report wants them: shards of one run are joined, in a folder that lasts as long as this does.

    A shard that is alone is joined, too: as a run that lacks all others.

    Raises:
        JoinError: shards don't fit together.
        RunFileError: a file can't be read.
    """
    shards: dict[str, list[Path]] = {}
    for path in paths:
        header = runfile.read_header(path)
        if header.shard is not None:
            shards.setdefault(_name(path, header), []).append(path)
    name_of = {path: name for name, group in shards.items() for path in group}
    with tempfile.TemporaryDirectory() as folder:
        runs = []
        for path in paths:
            if path not in name_of:
                runs.append(runfile.read(path))
            elif group := shards.pop(name_of[path], []):  # in the place of the first of them
                joined = Path(folder, name_of[path])
                runfile.join(group, joined)
                runs.append(runfile.read(joined))
        yield runs
