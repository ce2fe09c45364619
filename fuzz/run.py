"""Fuzzes parsers and exact answers for a while: ``python fuzz/run.py [--seconds 60] [NAME…]``, or ``tox -e fuzz``.

An input that makes a parser do anything but return a value or raise its own error is kept in ``.fuzz``, and ends this
with status 1. ``python fuzz/NAME.py .fuzz INPUT`` tries it again. `answers` makes cases, needs no
atheris, and prints what it found as cases.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
NAMES = ("expressions", "printed", "casefiles", "runfiles", "answers")
MEMORY_MB = 2048
LONGEST_SECONDS = 20
"""Of one input: more is a finding, too."""


def main() -> int:
    """Run the harnesses one after the other; 1 where one found something."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}; default: all")
    parser.add_argument("--seconds", type=int, default=60, help="for each; default: 60")
    asked = parser.parse_args()
    found = HERE.parent / ".fuzz"
    found.mkdir(exist_ok=True)
    status = 0
    for name in asked.names or NAMES:
        if name not in NAMES:
            parser.error(f"no harness '{name}'; there are {', '.join(NAMES)}")
        if name == "answers":
            command = [sys.executable, "-W", "ignore", str(HERE / "answers.py"), "--cases", "1000000000"]
            status |= subprocess.run([*command, "--seconds", str(asked.seconds)], check=False).returncode != 0
            continue
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, str(HERE / f"{name}.py"), folder, f"-max_total_time={asked.seconds}"]
            command += [f"-rss_limit_mb={MEMORY_MB}", f"-timeout={LONGEST_SECONDS}", "-max_len=8192"]
            command += ["-print_final_stats=1", f"-artifact_prefix={found}/{name}-"]
            done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
        figures = [line.removeprefix("stat::") for line in done.stderr.splitlines() if line.startswith("stat::")]
        executed = next((line.split()[-1] for line in figures if line.startswith("number_of_executed_units")), "no")
        print(f"{name}: {executed} inputs, {'nothing found' if done.returncode == 0 else 'FOUND SOMETHING'}")
        if done.returncode:
            print((done.stdout + done.stderr)[-4000:])
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
