"""Two runs, case by case: verdicts that changed, errors that drifted, results that moved."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence

from conformance.casefile.patterns import matches
from conformance.diffing import questions, records
from conformance.diffing.circumstances import of_runs, of_timings
from conformance.diffing.comparison import TIMES, Comparison, ModeCounts, Question, Versus
from conformance.diffing.findings import Category, Change, Weight
from conformance.diffing.pairing import Pairing, RunPair
from conformance.diffing.timings import compare_timings
from conformance.runfile import CaseLines, Record, Run
from conformance.runfile.failure import repeat_command
from conformance.words.visible import visible

_QUESTIONS_KEPT = 200


def compare(pairing: Pairing) -> Comparison:
    """Compare what was paired.

    Raises:
        RunFileError: a run file was changed in the meantime.
    """
    result = Comparison(left_over=list(pairing.left_over), gone=sum(_answers(run) for run in pairing.gone))
    for pair in pairing.runs:
        a, b = pair.a.header, pair.b.header
        result.versus.append(
            Versus(_title(a.backend, b.backend), _what(pair.a), _what(pair.b), of_runs(a, b, pair.modes))
        )
        result.left_over += pair.alone
        result.incomplete += [line for name, run in (("A", pair.a), ("B", pair.b)) for line in _lacking(name, run)]
        result.gone += sum(_answers(pair.a, mode) for mode in pair.gone)
        compared = _Runs(result, pair).compare()
        if not compared:
            result.incomplete.append(
                f"{_title(a.backend, b.backend)}: nothing could be compared: no variant is the same question in both"
            )
    for timing in pairing.timings:
        left, right = timing.a.about, timing.b.about
        title = TIMES + _title(left.backend, right.backend)
        result.versus.append(Versus(title, left.started, right.started, of_timings(left, right)))
    if pairing.timings:
        result.timings = compare_timings(pairing.timings)
    return result


def _title(a: str, b: str) -> str:
    return a if a == b else f"{a} → {b}"


def _what(run: Run) -> str:
    version = next(iter(run.header.versions.values()), "")
    return " · ".join(part for part in (version, run.header.place, run.header.started) if part)


def _answers(run: Run, *modes: str) -> int:
    """How many results a run has in some modes, or in all, that say something of its backend."""
    return sum(
        n for mode in modes or run.recorded for verdict, n in run.recorded[mode].items() if verdict != "unsupported"
    )


def _lacking(name: str, run: Run) -> Iterator[str]:
    missing = ", ".join(f"{n:,} of {mode}" for mode, n in run.missing().items())
    if not run.complete:
        why = f" ({run.footer.stopped})" if run.footer and run.footer.stopped else ""
        yield f"{name}: the run of {run.header.backend} is incomplete{why}; missing: {missing or 'its footer'}"
    elif run.size and not _answers(run):
        yield f"{name}: nothing of {run.header.backend} could run"


_Key = tuple[str, str]
"""A variant and the spelling."""


class _Runs:
    """Compares two runs, a case at a time."""

    def __init__(self, result: Comparison, pair: RunPair) -> None:
        self._result, self._pair = result, pair
        self._rows = {modes: ModeCounts(pair.label(modes)) for modes in pair.modes}
        result.modes += self._rows.values()

    def compare(self) -> int:
        """Compare them.

        Returns:
            How many results were compared.
        """
        a, b = self._pair.a, self._pair.b
        for case in dict.fromkeys((*a.cases, *b.cases)):
            left = a.part(case) if case in a.cases else None
            right = b.part(case) if case in b.cases else None
            changed = self._changed(left, right) if left is not None and right is not None else {}
            for modes, row in self._rows.items():
                self._modes(row, modes, left, right, changed)
        return sum(row.compared for row in self._rows.values())

    def _changed(self, a: CaseLines, b: CaseLines) -> set[str]:
        """The variants that are another question in B."""
        shared = [variant for variant in a.variants if variant in b.variants]
        if what := questions.case_change(a.case, b.case):
            self._question(a.case.id, what)
            return set(shared)
        changed = set()
        for variant in shared:
            if what := questions.variant_change(a.variants[variant], b.variants[variant]):
                self._question(variant, what)
                changed.add(variant)
        return changed

    def _question(self, name: str, what: str) -> None:
        self._result.changed_total += 1
        if len(self._result.changed) < _QUESTIONS_KEPT:
            self._result.changed.append(Question(records.short(name), what))

    def _modes(
        self,
        row: ModeCounts,
        modes: tuple[str, str],
        a: CaseLines | None,
        b: CaseLines | None,
        changed: Collection[str],
    ) -> None:
        left, right = _records(a, modes[0]), _records(b, modes[1])
        for key in dict.fromkeys((*left, *right)):
            one, other = left.get(key), right.get(key)
            if one is None:
                self._alone(row, right[key], self._pair.a, modes[0], row.new)
            elif other is None:
                self._alone(row, one, self._pair.b, modes[1], row.gone)
            elif key[0] in changed:
                row.questions += 1
            elif b is not None:
                self._both(row, b, one, other)

    def _alone(self, row: ModeCounts, record: Record, lacking: Run, mode: str, counter: Counter[str]) -> None:
        """A variant that one side has no record of, and why that may be."""
        if lacking.footer is None or lacking.missing().get(mode):
            row.missing += 1
        elif lacking.header.part_of_cases:
            row.not_asked += 1
        elif _outside(lacking, mode, record.variant):
            row.outside += 1
        else:
            counter[record.verdict] += 1

    def _both(self, row: ModeCounts, part: CaseLines, a: Record, b: Record) -> None:
        result = self._result
        row.compared += 1
        if a.budget != b.budget and (a.at, a.step) == (b.at, b.step):
            row.budgets += 1
        said = True
        if direction := records.verdict_change(a, b):
            gone_wrong = b if direction == "worse" else a
            channel = gone_wrong.findings[0].channel if gone_wrong.findings else ""
            steps = abs(records.ORDER.index(b.verdict) - records.ORDER.index(a.verdict))
            row.worse += direction == "worse"
            row.better += direction == "better"
            category = result.worse if direction == "worse" else result.better
            self._add(category, row, part, a, b, f"{a.verdict} → {b.verdict}", channel, (steps, 0.0))
        elif (direction := records.drift(a, b)) is not None:
            grown = records.growth(a, b) or 0.0
            row.drifted += direction == "worse"
            row.settled += direction == "better"
            category = result.drifted if direction == "worse" else result.settled
            what = f"{'grew' if grown > 0 else 'shrank'}, {b.verdict}"
            weight = (int(b.verdict == "passed"), abs(grown) / (b.budget or 1.0))
            self._add(category, row, part, a, b, what, "", weight, f"{grown:+.3g} ULP")
        elif records.form(a) != records.form(b):
            row.form += 1
            note = f"{records.form(a) or 'nothing'} → {records.form(b) or 'nothing'}"
            self._add(result.form, row, part, a, b, b.verdict, "", (0, 0.0), note)
        elif a.verdict != "passed" and records.way(a) != records.way(b):
            row.otherwise += 1
            channel = b.findings[0].channel if b.findings else ""
            self._add(result.otherwise, row, part, a, b, b.verdict, channel, (0, 0.0))
        else:
            said = False
        if (far := records.moved(a, b)) is not None:
            row.bits += 1
            if far.steps is None or far.steps > 1:
                row.moved += 1
                if not said:
                    note = "not known how far" if far.steps is None else f"{far.steps:,} steps"
                    self._add(
                        result.moved,
                        row,
                        part,
                        a,
                        b,
                        b.verdict,
                        "",
                        (int(b.verdict == "passed"), float(far.steps or 0)),
                        note,
                    )

    def _add(
        self,
        category: Category,
        row: ModeCounts,
        part: CaseLines,
        a: Record,
        b: Record,
        what: str,
        channel: str,
        weight: Weight,
        note: str = "",
    ) -> None:
        def make() -> Change:
            header = self._pair.b.header
            command = visible(repeat_command(b.variant, header.backend, b.mode, header.device, header.held_to))
            return Change(
                records.short(part.case.id),
                records.short(b.variant),
                records.short(b.idiom),
                records.told(a),
                records.told(b),
                records.short(note),
                command,
            )

        key = (row.label, records.short(part.case.operation), what, records.short(channel))
        category.add(key, weight, make)


def _outside(run: Run, mode: str, variant: str) -> bool:
    """Whether a mode runs a declared subset that a variant is not in."""
    subsets = [one.subset for one in run.header.modes if one.name == mode]
    return any(subset and not any(matches(pattern, variant) for pattern in subset) for subset in subsets)


def _records(part: CaseLines | None, mode: str) -> dict[_Key, Record]:
    """A mode's records of a case; what was not run has none."""
    found: Sequence[Record] = () if part is None else part.records
    return {(r.variant, r.idiom): r for r in found if r.mode == mode and r.verdict != "not-run"}
