"""Run files that were made to do harm are refused in little memory, before anything is made of them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from conformance import runfile
from conformance.runfile import CaseLine, Header, ModeSummary, Record, RunFileError, Shard, Stored, VariantLine
from conformance.runfile.sealing import encode, seal

X = Stored.of(np.ones(2, dtype=np.float32))
HEAD = encode(Header(runfile.FORMAT, "0", "numpy", "cpu", {}, {}, "c", "m", [ModeSummary("eager", 1)], {}, [], "t"))
CASE = encode(CaseLine("a/b", "exp", "a.yaml", "- name: b", "", "exp(x)", False))
VARIANT = encode(VariantLine("a/b[x]", "a/b", "float32", {"x": X}, X))
RECORD = encode(Record("a/b[x]", "eager", "passed", got=[X]))


def _shard(number: int, of: int, mode: str) -> bytes:
    shard = Shard(number, of, [ModeSummary(mode, 1)])
    modes = [ModeSummary("eager", 1)]
    return encode(Header(runfile.FORMAT, "0", "numpy", "cpu", {}, {}, "c", "m", modes, {}, [], "t", shard=shard))


HOSTILE: dict[str, tuple[bytes, str]] = {
    "a header of brackets": (b"[" * 10_000_000 + b"\n", ":1: not a run file: expected its header"),
    "a header of nested objects": (seal(b'{"kind":"header","format":2,"x":' + b'{"a":' * 10**6 + b"}" * 10**6 + b"}"), ":1: "),
    "a header past every number": (seal(b'{"kind":"header","format":' + b"9" * 10**6 + b"}"), ":1: not a run file"),
    "a list without end": (HEAD + CASE + seal(VARIANT.partition(b',"crc32')[0] + b',"z":' + b"[" * 10**6 + b"}"), ":3: "),
    "a gigantic shape": (
        HEAD + CASE + encode(VariantLine("a/b[x]", "a/b", "float32", {"x": Stored("float32", [2**20, 2**20], "AAAA")})),
        ":3: the input 'x': 3 bytes are not 1,099,511,627,776 elements of float32",
    ),
    "a gigantic shape with a digest": (
        HEAD + CASE + encode(VariantLine("a/b[x]", "a/b", "float32", {"x": Stored("float32", [2**62] * 2, "", "0" * 64)})),
        ":3: the input 'x': the shape [4611686018427387904, 4611686018427387904]",
    ),
    "an index that is none": (HEAD + CASE + VARIANT + seal(RECORD.partition(b',"crc32')[0] + b',"at":[1e30]}'), ":4: "),
    "a shard after the last": (_shard(3, 2, "eager"), ":1: there is no shard 3 of 2"),
    "a shard before the first": (_shard(0, 2, "eager"), ":1: there is no shard 0 of 2"),
    "a shard of other modes": (_shard(1, 2, "jit"), ":1: all shards together have other modes than this one"),
    "NUL bytes": (b"\0" * 1000 + b"\n", ":1: not a run file: expected its header"),
    "a byte order mark": (b"\xef\xbb\xbf" + HEAD, ":1: its checksum does not match"),
    "line ends of another system": ((HEAD + CASE).replace(b"\n", b"\r\n"), ":1: a line without its checksum"),
    "UTF-16": (HEAD.decode().encode("utf-16"), ":1: not a run file"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_each_is_refused_with_its_line(name: str, tmp_path: Path) -> None:
    content, told = HOSTILE[name]
    path = tmp_path / "run.jsonl"
    path.write_bytes(content)
    with pytest.raises(RunFileError) as caught:
        runfile.read(path)
    assert str(caught.value).startswith(f"{path}{told}")
    assert str(caught.value).isprintable() and len(str(caught.value)) < 1200


READS_ALL = """
import resource, sys
from pathlib import Path
from conformance import runfile
runfile.read(Path(sys.argv[1], "0"))  # whatever is imported late
now = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (now + int(sys.argv[2]),) * 2)
for path in sorted(Path(sys.argv[1]).iterdir()):
    try:
        runfile.read(path)
    except runfile.RunFileError as error:
        print("refused", path.name)
"""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is limited through /proc here")
def test_they_are_refused_in_little_memory_a_line_of_gigabytes_too(tmp_path: Path) -> None:
    (tmp_path / "0").write_bytes(HEAD)
    for i, (content, _) in enumerate(HOSTILE.values(), start=1):
        (tmp_path / str(i)).write_bytes(content)
    for name, begins in (("endless", b""), ("endless-later", HEAD)):
        with (tmp_path / name).open("wb") as file:
            file.write(begins)
            file.truncate(2**34)
    done = subprocess.run(
        [sys.executable, "-c", READS_ALL, str(tmp_path), str(256 * 2**20)],
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) == len(HOSTILE) + 2


def test_a_header_alone_is_a_run_that_was_cut(tmp_path: Path) -> None:
    (tmp_path / "run.jsonl").write_bytes(HEAD)
    run = runfile.read(tmp_path / "run.jsonl")
    assert (run.complete, run.size, run.missing()) == (False, 0, {"eager": 1})
