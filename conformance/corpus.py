"""Where the cases are, and what of them a run is about."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from conformance.casefile.loader import Corpus, load
from conformance.casefile.variants import LoadedCase, Variant, expand
from conformance.divergences import matches


def default_root() -> Path:
    """The folder of the cases: beside the package in a checkout, inside it where it was installed."""
    package = Path(__file__).parent
    inside = package / "cases"
    return inside if inside.is_dir() else package.parent / "cases"


class SelectionError(ValueError):
    """What was asked for is not there."""


@dataclass(slots=True)
class Share:
    """What a mode runs.

    Attributes:
        variants: by case ID, in the order of the corpus.
        left_out: how many variants are not in the mode's declared subset.
        because: why the mode runs a subset.
    """

    variants: dict[str, list[Variant]] = field(default_factory=dict)
    left_out: int = 0
    because: str = ""

    @property
    def count(self) -> int:
        """How many variants it runs."""
        return sum(map(len, self.variants.values()))


class Selection:
    """The variants that a run is about.

    Attributes:
        corpus: the cases to choose from.
        patterns: of variant IDs; empty for all.
        root: where the cases are, None for those that come with the suite.
    """

    def __init__(self, corpus: Corpus, variant_patterns: Sequence[str] = (), root: Path | None = None) -> None:
        self.corpus = corpus
        self.root = root
        self.patterns = tuple(variant_patterns)
        self._cases: dict[str, tuple[LoadedCase, list[Variant]]] = {}
        for case in corpus.cases:
            wanted = [v for v in expand(case) if not self.patterns or any(matches(p, v.id) for p in self.patterns)]
            if wanted:
                self._cases[case.id] = (case, wanted)
        for pattern in self.patterns:
            if not any(matches(pattern, v.id) for _, variants in self._cases.values() for v in variants):
                raise SelectionError(f"no variant '{pattern}'; 'conformance list' shows them all")

    @property
    def cases(self) -> list[LoadedCase]:
        """The cases with a variant in the selection."""
        return [case for case, _ in self._cases.values()]

    @property
    def variants(self) -> list[Variant]:
        """All variants of the selection."""
        return [variant for _, variants in self._cases.values() for variant in variants]

    def share(self, backend: str, mode: str, case_ids: Sequence[str] | None = None) -> Share:
        """What a mode of a backend runs: everything, or the subset declared for it.

        Args:
            backend: its name.
            mode: its mode.
            case_ids: of these cases only.
        """
        chosen = self._cases.keys() if case_ids is None else case_ids
        # A variant that was asked for by name is run, whatever the subset.
        subset = next((s for s in self.corpus.subsets if (s.backend, s.mode) == (backend, mode)), None)
        share = Share(because=subset.because if subset and not self.patterns else "")
        for case_id in chosen:
            variants = self._cases[case_id][1]
            if subset is not None and not self.patterns:
                inside = [v for v in variants if any(matches(p, v.id) for p in subset.variants)]
                share.left_out += len(variants) - len(inside)
                variants = inside
            if variants:
                share.variants[case_id] = variants
        return share


def select(root: Path | None = None, variant_patterns: Sequence[str] = ()) -> Selection:
    """Read the cases under `root` (by default the ones that come with the suite) and choose among them.

    Raises:
        CaseFileError: with every mistake in the case files.
        SelectionError: a pattern matches no variant.
    """
    return Selection(load(root or default_root()), variant_patterns, root)


def manifest_digest(variant_ids: Sequence[str]) -> str:
    """SHA-256 over the sorted IDs, so that two runs can tell whether they are about the same variants."""
    return hashlib.sha256("\n".join(sorted(variant_ids)).encode()).hexdigest()
