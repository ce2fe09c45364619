"""Any bytes are a run file, finished or not, or one error with its line; what is one can be read case by case.

Nothing that a fuzzer changes would get past the checksums: they are worked out anew for half of the inputs.
"""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import atheris
import numpy as np
from driving import drive

with atheris.instrument_imports(include=["conformance.runfile"]):
    from conformance import runfile
    from conformance.runfile.sealing import seal

FILE = Path(tempfile.mkdtemp()) / "any.jsonl"
_CHECKSUM = re.compile(rb',"crc32":"[0-9a-f]*"}$')


def one_input(data: bytes) -> None:
    """Read a file as it is, or with right checksums."""
    if data[:1] == b"=":
        data = b"".join(seal(_CHECKSUM.sub(b"}", line)) for line in data[1:].split(b"\n") if line)
    FILE.write_bytes(data)
    try:
        run = runfile.read(FILE)
    except runfile.RunFileError as error:
        assert str(error).startswith(f"{FILE}:"), error
        return
    assert sum(len(part.records) for part in run.parts()) == run.size
    run.counts()


def seeds() -> list[bytes]:
    """A small run, finished and not."""
    x = runfile.Stored.of(np.array([1.0, 2.0], dtype=np.float32))
    modes, idioms = [runfile.ModeSummary("eager", 2)], [runfile.IdiomSource("exp", "def exp(x): ...")]
    told, versions, environment = {"exp": {"summary": "s"}}, {"numpy": "2"}, {"python": "3"}
    head = runfile.Header(
        runfile.FORMAT, "0", "numpy", "cpu", versions, environment, "c", "m", modes, told, idioms, "t"
    )
    writer = runfile.Writer(FILE, head)
    writer.case(lambda: runfile.CaseLine("a/b", "exp", "a.yaml", "- name: b", "", "exp(x)", False), "a/b")
    for name, verdict in (("x", "passed"), ("y", "failed")):
        line = runfile.VariantLine(f"a/b[{name}]", "a/b", "float32", {"x": x}, x, [0.0])
        found = [runfile.FindingLine("value", "1", "2")] if verdict == "failed" else []
        writer.variant(lambda line=line: line, line.id)
        writer.record(runfile.Record(line.id, "eager", verdict, "", found, [x], ulp=0.5, at=[0]))
    writer.flush()
    unfinished = FILE.read_bytes()
    writer.finish("later")
    finished = FILE.read_bytes()
    return [unfinished, finished, b"=" + unfinished, b"=" + finished]


if __name__ == "__main__":
    drive(one_input, seeds())
