"""Names of devices."""

from __future__ import annotations

import pytest

from conformance.ground import devices


@pytest.mark.parametrize(
    ("text", "name", "kind", "number"),
    [
        ("cpu", "cpu", "cpu", 0),
        ("gpu:0", "gpu", "gpu", 0),
        ("gpu:1", "gpu:1", "gpu", 1),
        ("cpu:007", "cpu:7", "cpu", 7),
    ],
)
def test_a_name_is_a_kind_and_a_number_where_it_is_not_the_first(text: str, name: str, kind: str, number: int) -> None:
    found = devices.device(text)
    assert (found, devices.kind_of(found), devices.number_of(found)) == (name, kind, number)
    assert devices.named(kind, number) == name


@pytest.mark.parametrize("text", ["", "tpu", "gpu:", "gpu:-1", "gpu:1000", "cpu 1", "gpu:1\n", "gpu:1/../x", "CPU"])
def test_anything_else_is_refused_with_what_there_is(text: str) -> None:
    with pytest.raises(ValueError, match="there are cpu and gpu, and numbered ones such as gpu:1"):
        devices.device(text)


def test_files_are_named_after_backend_and_device_and_what_else_tells_them_apart() -> None:
    assert devices.file_stem("torch", "gpu:1") == "torch-gpu1"
    assert devices.file_stem("numpy", "cpu", "baseline", "3of8") == "numpy-cpu-baseline-3of8"
    assert devices.file_stem("numpy", "cpu", "", "3of8") == "numpy-cpu-3of8"
