"""Scripts in a fresh interpreter, without this suite: they print the bits, and the error, that the suite recorded."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from conformance.backends.base import IDIOMS
from conformance.casefile.expressions import Comparison
from conformance.casefile.model import Given
from conformance.casefile.variants import Variant
from conformance.suite.selection import Selection

Repeat = Callable[..., None]


def kind(variant: Variant) -> tuple[object, ...]:
    """What makes a script unlike others, whatever its numbers."""
    case, given = variant.case, [g for g in variant.case.case.given.values() if isinstance(g, Given)]
    layouts = {variant.bindings.get(g.layout or "", g.layout) for g in given}
    sources = {source for g in given for source in g.sources} | {"put" for g in given if g.put}
    claim, expect = isinstance(case.expression, Comparison), case.expect
    numbers = (frozenset(filter(None, layouts)), frozenset(sources))
    return (case.headline, variant.check, claim, expect.raises, expect.aliases, len(case.operations), *numbers)


def broadly(variants: Iterable[Variant], in_every_dtype: bool = False) -> list[Variant]:
    """One variant of each kind; or of each kind in each dtype."""
    found: dict[object, Variant] = {}
    for variant in variants:
        found.setdefault((kind(variant), variant.dtype.name if in_every_dtype else ""), variant)
    return list(found.values())


def every(variants: Iterable[Variant], number: int) -> list[Variant]:
    """Each of so many variants."""
    return list(variants)[::number]


def spelled(corpus: Selection, backend: str, most: int) -> list[tuple[Variant, str, str]]:
    """Each other spelling of each operation, on the first few variants that it is run on."""
    share = corpus.share(backend, IDIOMS)
    count: dict[tuple[str, str], int] = {}
    found = []
    for case_id, variants in share.variants.items():
        for variant in variants:
            for idiom in share.idioms[variant.id]:
                key = (variant.case.headline, idiom)
                count[key] = count.get(key, 0) + 1
                if count[key] <= most and case_id:
                    found.append((variant, IDIOMS, idiom))
    return found


def of(variants: Iterable[Variant], mode: str) -> list[tuple[Variant, str, str]]:
    return [(variant, mode, "") for variant in variants]


def test_numpy_in_every_kind_and_dtype_and_in_every_spelling(corpus: Selection, repeat: Repeat) -> None:
    variants = [variant for variant in corpus.variants if variant.check == "value"]
    wanted = {v.id: v for v in [*broadly(variants, True), *every(variants, 5)]}
    repeat("numpy", [*of(wanted.values(), "eager"), *spelled(corpus, "numpy", 6)])


def test_torch_in_every_kind_and_dtype_and_in_every_spelling(corpus: Selection, repeat: Repeat) -> None:
    repeat("torch", [*of(broadly(corpus.variants, True), "eager"), *spelled(corpus, "torch", 2)])


def test_tensorflow_in_every_kind_and_mode_and_in_every_spelling(corpus: Selection, repeat: Repeat) -> None:
    wanted = [*of(broadly(corpus.variants), "eager"), *spelled(corpus, "tensorflow", 1)]
    repeat("tensorflow", [*wanted, *of(few(corpus), "graph"), *of(few(corpus), "xla")])


def test_jax_in_many_kinds_and_every_mode(corpus: Selection, repeat: Repeat) -> None:
    eager = of(every(broadly(corpus.variants), 9), "eager")
    repeat("jax", [*eager, *of(few(corpus), "jit"), *of(few(corpus), "jit-x32"), *spelled(corpus, "jax", 1)])


def test_torch_compile(corpus: Selection, repeat: Repeat) -> None:
    repeat("torch", of(few(corpus)[:3], "compile"))


def few(corpus: Selection) -> list[Variant]:
    """What compiled modes are tried on: several steps, a claim, a narrow and a wide dtype in a layout, a gradient."""
    begins = (
        "document/bce-loss/loss-of-the-printed-example",
        "document/softmax/sums-to-one",
        "ops/softmax/layouts[bfloat16",
        "ops/softmax/layouts[float64",
        "ops/softmax/gradient-of-layouts",
        "ops/stack/",
        "ops/asarray/",
    )
    found = [next((v for v in corpus.variants if v.id.startswith(begin)), None) for begin in begins]
    assert None not in found, begins
    return [variant for variant in found if variant is not None]
