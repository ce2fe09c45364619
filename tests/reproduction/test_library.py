"""The functions that scripts may contain: those that are named, with what they need, and no name twice."""

from __future__ import annotations

import ast
import builtins
import os
import subprocess
import sys

from conformance.ops import OPERATIONS
from conformance.reproduction import library
from conformance.reproduction.foreign import FUNCTIONS, bound, needs


def defined(text: str) -> list[str]:
    return [node.name for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)]


def test_a_script_gets_the_functions_it_names_and_those_that_these_call() -> None:
    part = library.part('x = native(array("float32", (3,), uniform(3, seed=1, low=0.0, high=1.0)))')
    assert defined(part) == ["words", "unit", "uniform", "array"] or set(defined(part)) == {
        "array", "words", "unit", "uniform",
    }  # fmt: skip
    assert library.part("x = 1") == ""
    assert "import base64" in library.part('array("int8", (1,), base64.b64decode("AA=="))')
    assert "import ml_dtypes" in library.part('array("bfloat16", (1,), "1.0")')
    assert "import ml_dtypes" not in library.part('array("float16", (1,), "1.0")')


def test_every_function_finds_what_it_needs_in_a_script_that_names_it() -> None:
    given = {*FUNCTIONS, "np", *vars(builtins)}
    for name in library.NAMES - {"np"}:
        text = library.part(f"{name}()")
        if name not in defined(text):
            continue  # an import
        have = given | bound(text) | set(defined(text))
        for function in (node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)):
            assert needs(ast.unparse(function)) <= have, function.name


def test_no_function_has_the_name_of_an_operation_or_of_something_that_a_backend_gives() -> None:
    assert not library.NAMES & {*OPERATIONS, *FUNCTIONS, *vars(builtins)}


def test_functions_stand_in_the_same_order_in_every_process() -> None:
    """Sets are ordered by hashes, which differ from process to process; equal results give equal pages."""
    code = """
from conformance.reproduction import library
print(library.part(" ".join(f"{name}()" for name in sorted(library.NAMES))), [library.part(f"{name}()") for name in sorted(library.NAMES)])
"""

    def printed(seed: str) -> bytes:
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        return subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, check=True).stdout

    assert len({printed(seed) for seed in "123456"}) == 1
