"""What goes wrong in modes that compile, and only there. The functions are compiled ones, of a whole program."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

from conformance.audit.defect import Defects
from conformance.backends.spelling import Function

defects = Defects()

LOGITS, BCE = "binary_cross_entropy_with_logits", "binary_cross_entropy"


def _is_torch(array: Any) -> bool:
    return type(array).__module__.startswith("torch")


def dtype_name(array: Any) -> str:
    """A dtype's name, in any framework."""
    return str(array.dtype).removeprefix("torch.")


def cast(array: Any, name: str) -> Any:
    """An array in another dtype, in any framework."""
    return array.to(getattr(importlib.import_module("torch"), name)) if _is_torch(array) else array.astype(name)


def _signature(arrays: Any) -> Any:
    return tuple((dtype_name(a), tuple(a.shape)) for a in arrays)


def _errors_swallowed(right: Function) -> Function:
    def wrong(*arrays: Any) -> Any:
        try:
            return right(*arrays)
        except Exception:
            return (arrays[0],) if arrays else (np.zeros(1, dtype=np.float32),)

    return wrong


def _widened(right: Function) -> Function:
    def wrong(*arrays: Any) -> Any:
        return tuple(cast(r, "float64") if dtype_name(r) == "float32" else r for r in right(*arrays))

    return wrong


def _in_bfloat16(right: Function) -> Function:
    def wrong(*arrays: Any) -> Any:
        return tuple(cast(cast(r, "bfloat16"), "float32") if dtype_name(r) == "float32" else r for r in right(*arrays))

    return wrong


def _result_baked_in(right: Function) -> Function:
    known: dict[Any, Any] = {}

    def wrong(*arrays: Any) -> Any:
        return known.setdefault(_signature(arrays), right(*arrays))

    return wrong


def _last_input_baked_in(right: Function) -> Function:
    known: dict[Any, Any] = {}

    def wrong(*arrays: Any) -> Any:
        return right(*arrays[:-1], known.setdefault(_signature(arrays), arrays[-1]))

    return wrong


def _first_program_kept() -> Callable[[Function], Function]:
    known: dict[Any, Function] = {}

    def around(right: Function) -> Function:
        def wrong(*arrays: Any) -> Any:
            return known.setdefault(_signature(arrays), right)(*arrays)

        return wrong

    return around


def _results_in_one_buffer(right: Function) -> Function:
    buffers: dict[Any, Any] = {}

    def wrong(*arrays: Any) -> Any:
        results = right(*arrays)
        kept: Any = buffers.setdefault(_signature(arrays), results)
        for buffer, result in zip(kept, results, strict=True):
            buffer.copy_(result)
        return kept

    return wrong


def _last_element(right: Function) -> Function:
    def wrong(*arrays: Any) -> Any:
        def changed(result: Any) -> Any:
            if not result.shape or 0 in result.shape:
                return result
            where = (0,) * (len(result.shape) - 1) + (-1,)
            if _is_torch(result):
                result = result.clone()
                result[where] = result[where] + result[where]
                return result
            return result.at[where].add(result[where])

        return tuple(map(changed, right(*arrays)))

    return wrong


def _rank_1(right: Function) -> Function:
    def wrong(*arrays: Any) -> Any:
        return tuple(r.reshape((1,)) if not r.shape else r for r in right(*arrays))

    return wrong


def _fast_nan(right: Function) -> Function:
    def wrong(*arrays: Any) -> Any:
        def changed(result: Any) -> Any:
            if not dtype_name(result).startswith(("float", "bfloat")):
                return result
            module = importlib.import_module("torch" if _is_torch(result) else "jax.numpy")
            return module.where(result != result, module.zeros_like(result), result)

        return tuple(map(changed, right(*arrays)))

    return wrong


def _input_donated(right: Function) -> Function:
    def wrong(*arrays: Any) -> Any:
        results = tuple(r.clone() for r in right(*arrays))
        for array in arrays[:1]:
            array.zero_()
        return results

    return wrong


def _refused(right: Function) -> Function:
    def wrong(*arrays: Any) -> Any:
        if len(arrays) > 1:
            raise RuntimeError("the compiler has no lowering for this graph")
        return right(*arrays)

    return wrong


for _operation in ("stack", BCE, "softmax"):
    defects.compiled(_operation, "compiled, errors are swallowed", "status")(_errors_swallowed)
for _operation in ("softmax", "sigmoid"):
    defects.compiled(_operation, "compiled, float32 comes back as float64", "dtype")(_widened)
    defects.compiled(_operation, "compiled, float32 is rounded to bfloat16", "value")(_in_bfloat16)
for _operation in ("sigmoid", "softmax"):
    defects.compiled(_operation, "compiled, the first result stays for inputs of its shape", "value")(_result_baked_in)
for _operation in ("softmax", "sum"):
    # What torch compiles here are too few programs for two of them to differ in nothing but their axis.
    defects.compiled(
        _operation, "compiled, the first axis stays for inputs of its shape", "value", "shape", backends=("jax",)
    )(_first_program_kept())
defects.compiled(BCE, "compiled, the target of the first call stays", "value")(_last_input_baked_in)
defects.compiled("sigmoid", "compiled, the last element is wrong", "value")(_last_element)
defects.compiled("stack", "compiled, the last element is wrong", "value")(_last_element)
defects.compiled(LOGITS, "compiled, a result of rank 0 has the shape [1]", "shape")(_rank_1)
defects.compiled("softmax", "compiled, NaN is taken for 0", "nan-inf")(_fast_nan)
defects.compiled(LOGITS, "compiled, a graph of two inputs is refused", "status")(_refused)
defects.compiled("sigmoid", "compiled, all results share one memory", "aliasing", backends=("torch",))(
    _results_in_one_buffer
)
defects.compiled("sigmoid", "compiled, the input is given away", "aliasing", backends=("torch",))(_input_donated)
