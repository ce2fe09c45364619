"""What an adapter must do right that cases don't show directly: arrays go over and come back as they are."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from conformance.backends.spelling import Unsupported
from conformance.ground.dtypes import DTYPES
from conformance.ground.layouts import LAYOUTS, laid_out

SPECIAL = np.array([0.0, -0.0, 1.5, -2.0, np.inf, -np.inf, np.nan, 2.0**-14], dtype=np.float64)


@pytest.mark.filterwarnings("ignore")  # what frameworks warn of when they are first imported
@pytest.mark.parametrize("dtype", DTYPES)
def test_arrays_go_over_and_come_back_bit_for_bit(framework: Any, dtype: str) -> None:
    kind = DTYPES[dtype]
    values = SPECIAL if kind.kind == "floating" else np.array([0, 1, 100, 7, 1, 0, 3, 127])
    with framework.scope("eager"):
        for shape in [(8,), (2, 4), (2, 2, 2), (8, 1)]:
            array = values.astype(kind.numpy).reshape(shape)
            array.flags.writeable = False
            for given in (array, array.T):
                try:
                    back = framework.to_numpy(framework.from_numpy(given))
                except Unsupported:
                    pytest.fail(f"{framework.name} has no {dtype}")
                assert (back.dtype, back.shape, back.tobytes()) == (given.dtype, given.shape, given.tobytes())
        scalar = framework.to_numpy(framework.from_numpy(np.array(1, dtype=kind.numpy)))
        assert (scalar.shape, scalar.dtype) == ((), kind.numpy)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_arrays_of_every_layout_go_over_with_their_numbers_and_without_what_lies_between(
    framework: Any, layout: str, dtype: str
) -> None:
    array = laid_out(np.arange(24).reshape(2, 3, 4).astype(DTYPES[dtype].numpy), layout)
    array.flags.writeable = False
    with framework.scope("eager"):
        native = framework.from_numpy(array)
        back = framework.to_numpy(native)
    assert (back.dtype, back.shape, back.tobytes()) == (array.dtype, array.shape, array.tobytes())
    if framework.name == "torch":  # which has no negative strides, and copies such an array
        strides = array.copy().strides if min(array.strides) < 0 else array.strides
        assert [n * array.itemsize for n in native.stride()] == list(strides)
    if framework.name == "numpy":
        assert native.strides == array.strides


@pytest.mark.filterwarnings("ignore")
def test_an_array_is_filled_in_place_or_it_is_said_that_it_can_not_be(framework: Any) -> None:
    for dtype in ("float32", "bfloat16", "int8", "bool"):
        with framework.scope("eager"):
            native = framework.from_numpy(np.ones((2, 2), dtype=DTYPES[dtype].numpy).copy())
            can = framework.fill(native, 0)
            assert can is (framework.name in ("numpy", "torch"))
            assert framework.to_numpy(native).any() == (not can)


@pytest.mark.filterwarnings("ignore")
def test_an_idiom_that_works_in_place_does_not_change_what_was_given(framework: Any) -> None:
    if framework.name != "torch":
        pytest.skip("only torch's arrays can be changed; NumPy's inputs are read-only")
    for dtype in ("float32", "bfloat16"):
        given = np.ones(3, dtype=DTYPES[dtype].numpy)
        framework.from_numpy(given).add_(1)
        assert given.astype(np.float64).tolist() == [1, 1, 1]


@pytest.mark.filterwarnings("ignore")
def test_a_name_of_a_dtype_becomes_the_frameworks_dtype(framework: Any) -> None:
    with framework.scope("eager"):
        for name in ("float16", "bfloat16", "float32", "float64", "int32", "int64", "bool"):
            made = framework.idioms["asarray"]([True, False] if name == "bool" else [1, 0], dtype=framework.dtype(name))
            assert framework.to_numpy(made).dtype == DTYPES[name].numpy


@pytest.mark.filterwarnings("ignore")
def test_a_gradient_is_that_of_the_weighted_sum_and_zero_for_what_is_not_used(framework: Any) -> None:
    """d/da of sum(c * a * a) is 2 a c; b does not occur in it."""
    if framework.name == "numpy":
        pytest.skip("NumPy has no gradients")
    with framework.scope("eager"):
        a, b, c = (framework.from_numpy(np.array(v, dtype=np.float32)) for v in ([1, 2, 3], [5, 5, 5], [1, -0.5, 0.25]))
        of_a, of_b = framework.gradient(lambda a, b: a * a, [a, b], [0, 1], c)
        np.testing.assert_array_equal(framework.to_numpy(of_a), np.float32([2, -2, 1.5]))
        np.testing.assert_array_equal(framework.to_numpy(of_b), np.float32([0, 0, 0]))


@pytest.mark.filterwarnings("ignore")
def test_every_backend_runs_on_the_cpu_and_says_its_settings_in_words(framework: Any) -> None:
    assert "cpu" in framework.devices()
    assert all(isinstance(v, str) and v for v in framework.settings().values())


@pytest.mark.filterwarnings("ignore")
def test_a_training_step_gives_the_result_and_the_gradients_that_are_taken_by_themselves_in_every_mode(
    framework: Any,
) -> None:
    x, y = np.linspace(0.5, 2, 6, dtype=np.float32).reshape(2, 3), np.full((2, 3), 2, dtype=np.float32)
    weights = np.linspace(-1, 1, 6, dtype=np.float32).reshape(2, 3)
    for mode in framework.modes:
        if framework.missing_mode(mode):
            continue
        with framework.scope(mode):
            inputs = [framework.from_numpy(x), framework.from_numpy(y)]
            cotangent = framework.from_numpy(weights)
            step = framework.training_step(lambda a, b: a * b, mode, inputs, [1, 0], cotangent)
            if framework.name == "numpy":
                with pytest.raises(Unsupported, match="numpy has no gradients"):
                    step()
                continue
            for _ in range(2):
                results = [framework.to_numpy(result) for result in step()]
            assert [result.tolist() for result in results] == [
                (x * y).tolist(),
                (weights * x).tolist(),
                (weights * y).tolist(),
            ]
            assert framework.to_numpy(inputs[0]).tobytes() == x.tobytes()


@pytest.mark.filterwarnings("ignore")
def test_only_a_backend_whose_calls_may_return_early_is_waited_for(framework: Any) -> None:
    assert (framework.waiter() is not None) is (framework.name == "jax")
    assert framework.copier(framework.from_numpy(np.ones(2, dtype=np.float32))) is None


@pytest.mark.filterwarnings("ignore")
def test_what_torch_logs_of_compiling_is_not_printed_unless_asked_for(framework: Any) -> None:
    """From 2.14 on it logs that a call has failed which it then refuses."""
    if framework.name != "torch":
        pytest.skip("only torch logs to stderr what it refuses")
    code = "import sys, logging; from conformance.backends.torch import TorchBackend; b = TorchBackend(); "
    code += "b.start(); import torch._dynamo; logging.getLogger('torch._subclasses.fake_tensor').error('failed')"
    for wanted, printed in (({}, ""), ({"TORCH_LOGS": "+dynamo"}, "failed")):
        environment = {k: v for k, v in os.environ.items() if k != "TORCH_LOGS"} | wanted
        said = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
        assert (printed in said.stderr) and (bool(said.stderr) == bool(printed))
