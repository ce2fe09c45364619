"""Repeated arrays: what of them is judged, and that the small array's exact answers are those of the large one."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest

from conformance.casefile.inputs import materialise
from conformance.casefile.loader import load
from conformance.casefile.variants import expand
from conformance.execution.executor import differentiated
from conformance.execution.program import compile_variant
from conformance.ground.dtypes import all_finite, same_bits
from conformance.judging.judge import Judge
from conformance.timing.conformity import Truth
from conformance.timing.plan import BLOCK, CALLS, DOCUMENT, DTYPES, Job, parse_plan
from conformance.timing.tiles import extremes, repeated

JOBS = parse_plan([], [], full=True).jobs(["eager"], "eager")


def test_an_array_is_repeated_along_its_first_axis() -> None:
    assert repeated(np.array([[1, 2], [3, 4]]), 2).tolist() == [[1, 2], [3, 4], [1, 2], [3, 4]]


def test_of_equal_repetitions_the_first_is_judged() -> None:
    block = np.array([[1.0, np.nan], [-0.0, 2.0]], dtype=np.float32)
    (part,) = extremes(repeated(block, 3), (2, 2), 3)
    assert same_bits(part, block)


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16, np.float32, np.float64])
def test_of_repetitions_that_differ_the_smallest_and_the_largest_of_each_element_are(dtype: type) -> None:
    result = np.array([[1, 2], [3, 4], [5, 0]], dtype=dtype)
    low, high = extremes(result, (1, 2), 3)
    assert low.astype(float).tolist() == [[1, 0]] and high.astype(float).tolist() == [[5, 4]]


def test_a_nan_in_any_repetition_is_judged() -> None:
    result = np.ones((4, 2), dtype=np.float32)
    result[3, 1] = np.nan
    assert all(np.isnan(part[0, 1]) for part in extremes(result, (1, 2), 4))


def test_another_sign_of_zero_is_another_result() -> None:
    result = np.zeros((2, 1), dtype=np.float32)
    result[1] = -0.0
    assert len(extremes(result, (1, 1), 2)) == 2


@pytest.mark.parametrize("shape", [(4, 2), (3,), (6, 1), ()])
def test_a_result_of_another_shape_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="expected the shape"):
        extremes(np.zeros(shape), (2, 2), 3)


def of(operation: str, dtype: str, direction: str) -> Job:
    return next(
        job
        for job in JOBS
        if (job.operation, job.dtype, job.direction, job.shape) == (operation, dtype, direction, (64, 1024))
    )


@pytest.mark.parametrize("dtype", ["float16", "float32"])
@pytest.mark.parametrize("operation", ["softmax", "sum", "mean", "binary_cross_entropy", "sigmoid", "divide"])
def test_exact_answers_of_the_large_array_are_those_of_the_small_one(operation: str, dtype: str) -> None:
    job = of(operation, dtype, "forward+backward")
    judge = Judge()
    small = Truth(job, judge)
    step, inputs = small.program.steps[-1], list(small.block.values())
    times = 2
    large = [repeated(array, times) for array in inputs]
    one, two = judge.answers.of_step(step, inputs).array, judge.answers.of_step(step, large).array
    assert one is not None and two is not None
    assert same_bits(two, repeated(one, times) if one.shape else one)
    weights = small.cotangent()
    full = weights[: times * one.shape[0]] if one.shape else np.array(float(times))
    single = weights[: one.shape[0]] if one.shape else np.ones(())
    for _, index in small.wrt:
        a = judge.answers.of_gradient(small.program, [*inputs, one], index, {len(inputs): single})
        b = judge.answers.of_gradient(small.program, [*large, two], index, {len(inputs): full})
        assert same_bits(b.values.value, repeated(a.values.value, times))


def test_every_exact_answer_and_gradient_is_finite_normal_and_not_zero() -> None:
    judge = Judge()
    for case in load(CALLS).cases:
        for variant in expand(case):
            program, inputs = compile_variant(variant), list(materialise(variant).values())
            judge.answers.of_case(case.id)
            answer = judge.answers.of_step(program.steps[-1], inputs).array
            assert answer is not None, variant.id
            found = [answer]
            if variant.check == "gradient":
                indices = [index for _, index in differentiated(program, inputs)]
                weights = np.ones(answer.shape) if not answer.shape else Truth(_job(variant), judge).cotangent()
                values, last = [*inputs, answer], {len(inputs): weights}
                exact = [judge.answers.of_gradient(program, values, index, last) for index in indices]
                found += [gradient.values.value for gradient in exact]
            for array in (*inputs, *found):
                least = np.abs(array.astype(np.float64))[array != 0].min()
                assert all_finite(array) and least >= 2.0**variant.dtype.min_exponent, variant.id
            assert all(array.all() for array in found), variant.id


def _job(variant: object) -> Job:
    return next(job for job in JOBS if variant in (job.value, job.gradient))


def test_sums_of_a_whole_array_are_allowed_what_so_many_terms_are() -> None:
    job = of("mean", "float32", "forward")
    truth = Truth(job, Judge())
    exact = truth._small_answer()
    assert truth.problem([exact]) == ""
    ulp = np.spacing(exact)
    # 4,096 terms may be off by some 120 ULP, 65,536 terms by some 480.
    assert truth.problem([(exact + 300 * ulp).astype(np.float32)]) == ""
    assert truth.problem([(exact + 3000 * ulp).astype(np.float32)]).startswith("value")
    small = Truth(next(j for j in JOBS if j.id == "mean[float32,shape=4x1024,forward]"), Judge())
    assert small.problem([(exact + 300 * ulp).astype(np.float32)]).startswith("value")


def test_a_wrong_gradient_is_found_and_so_is_one_that_is_missing() -> None:
    job = of("multiply", "float32", "forward+backward")
    truth = Truth(job, Judge())
    a, b = truth.inputs()
    weights = truth.cotangent().astype(np.float32)
    right = [a * b, weights * b, weights * a]
    assert truth.problem(right) == ""
    assert truth.problem([right[0], right[2], right[1]]).startswith("gradient")
    assert truth.problem(right[:2]) == "gradient: expected 2 gradients, got 1"
    wrong = right[2].copy()
    wrong[-1, -1] *= np.float32(1.0001)
    assert truth.problem([*right[:2], wrong]).startswith("gradient")


def test_sizes_reach_from_the_documents_to_16_million_elements() -> None:
    sizes = {job.value.bindings.get("shape") and int(np.prod(job.shape)) for job in JOBS}
    assert {40, 4096, 2**24} <= sizes and {job.dtype for job in JOBS} == set(DTYPES)
    assert all(job.times * (DOCUMENT if job.shape == DOCUMENT else BLOCK)[0] == job.shape[0] for job in JOBS)
