"""The answer in at most three lines of 80 characters."""

from collections.abc import Sequence

from edge_bench.app.render.text.wrapping import first_that_fits, wrapped
from edge_bench.app.render.units import counted, significant, size
from edge_bench.app.tables.answer.cells import (
    inverse,
    joined,
    quality_clauses,
    quality_text,
    size_clauses,
    speed_clause,
    speed_text,
    time_text,
)
from edge_bench.app.tables.answer.names import Sides, baseline_name, configuration_name
from edge_bench.app.tables.answer.reliability import EMULATED_TIMES, MEASURE_ON_DEVICE, Reliable, reliability_texts
from edge_bench.app.tables.answer.search import open_text, probability_text, second_line
from edge_bench.bench.analysis.answer.answer import Answer, AnswerKind
from edge_bench.bench.analysis.comparison.comparison import Comparison, Row
from edge_bench.bench.records.run import Failure
from edge_bench.bench.stats.ratios import Verdict

__all__ = [
    "answer_lines", "answer_reliability", "answer_reliability_texts", "listed", "no_answer_lines", "share_text",
]  # fmt: skip


def answer_lines(answer: Answer, comparison: Comparison, width: int, place: str = "") -> list[str]:
    """Return the answer: what is fastest, what it costs, and whether times are reliable; one line each if they fit.

    place: of the only Run, if the first line names it: `` on desk``
    """
    found = _Sentences(answer, comparison, place)
    texts = [found.first(), found.second(), answer_reliability_texts(answer)]
    return [line for each in texts if each for line in wrapped(first_that_fits(width, each), width)]


def no_answer_lines(answer: Answer, failures: Sequence[Failure], width: int) -> list[str]:
    """Return that nothing was measured, and the most frequent reason with its remedy."""
    if not answer.configurations:
        return wrapped("No answer: there is no configuration to measure", width)
    which = "the only configuration" if answer.configurations == 1 else f"all {answer.configurations} configurations"
    unfinished = len(failures) < answer.configurations
    when = "in the first round" if answer.in_first_round else "before the first measurement"
    lines = wrapped(f"No answer: {f'interrupted {when}' if unfinished else f'{which} failed'}", width)
    if failures:
        kinds = [(each.kind, each.message, each.remedy) for each in failures]
        kind, message, remedy = max(dict.fromkeys(kinds), key=kinds.count)
        lines += wrapped(f"! {kind}: {message}", width)
        lines += wrapped(remedy, width) if remedy else []
    return lines


def answer_reliability(answer: Answer) -> Reliable | None:
    """Return how far the times of an answer can be relied on; None without times."""
    if answer.kind in (AnswerKind.EMULATED, AnswerKind.NOTHING):
        return None
    where = answer.reason_machine.split(" (")[0]
    return Reliable(answer.trusted, answer.reason, answer.unstable, answer.measured, "configuration", where)


def answer_reliability_texts(answer: Answer) -> list[str]:
    """Return whether times are reliable and the one thing to do if not, from the longest text to the shortest."""
    if answer.kind is AnswerKind.EMULATED:
        return [MEASURE_ON_DEVICE]
    reliable = answer_reliability(answer)
    return reliability_texts(reliable) if reliable else []


class _Sentences:
    def __init__(self, answer: Answer, comparison: Comparison, place: str = "") -> None:
        self._answer, self._comparison, self._place = answer, comparison, place
        self._sides = Sides(comparison.rows)
        self._baseline = baseline_name(comparison)
        base = next((row for row in comparison.rows if row.is_baseline), None)
        if self._sides.several and base is not None:
            self._baseline += f" on {self._sides.name(base.run_id)}"

    def first(self) -> list[str]:
        answer = self._answer
        best = answer.best[0]
        time = f"{time_text(best)} ms/{answer.unit}"
        match answer.kind:
            case AnswerKind.FASTEST:
                return [f"Fastest{self._place}: {self._name(best)}, {time}{probability_text(answer)}"]
            case AnswerKind.ONE:
                return [
                    f"Only one configuration{self._place}: {self._name(best)}, {time}",
                    f"{self._name(best)}{self._place}, {time}",
                ]
            case AnswerKind.NO_INTERVAL:
                return ["No verdict on speed: times of one process have no interval. Use --processes 5."]
            case AnswerKind.EMULATED:
                return [EMULATED_TIMES]
            case _:
                return self._undecided(answer, best)

    def _undecided(self, answer: Answer, best: Row) -> list[str]:
        match answer.kind:
            case AnswerKind.OPEN:
                lead = f"No clear winner{self._place}: {self._name(best)} leads"
                return [f"{lead}, but {open_text(answer.search)}" if answer.search else lead]
            case _ if len({row.configuration for row in answer.best}) == 1:
                sides = listed([self._sides.name(row.run_id) for row in answer.best])
                name = configuration_name(best.configuration, self._comparison.rows)
                return [f"Fastest on {sides}: {name}, within {share_text(answer.spread or 0)}"]
            case _:
                within = f"are within {share_text(answer.spread or 0)}"
                names = [self._name(row) for row in answer.best]
                texts = [f"No clear winner{self._place}: {listed(names)} {within}"] if len(names) <= 3 else []
                if len({row.run_id for row in answer.best}) == 1 and self._sides.several:
                    names = [configuration_name(row.configuration, self._comparison.rows) for row in answer.best]
                    within = f"({self._sides.name(best.run_id)}) {within}"
                    texts += [f"No clear winner{self._place}: {listed(names)} {within}"] if len(names) <= 3 else []
                if len(names) > 2:
                    texts.append(
                        f"No clear winner{self._place}: {names[0]}, {names[1]} and {len(names) - 2} more {within}"
                    )
                return [*texts, f"No clear winner{self._place}: {counted(len(names), 'configuration')} {within}"]

    def second(self) -> list[str]:
        best, kind, search = self._answer.best, self._answer.kind, self._answer.search
        if search and kind in (AnswerKind.FASTEST, AnswerKind.OPEN, AnswerKind.ONE):
            speed = speed_clause(best[0], self._baseline)
            speeds = [speed] if speed else [each.removeprefix("the baseline; ") for each in self._next()]
            return second_line(self._answer, search, self._comparison.rows, speeds)
        if kind in (AnswerKind.FASTEST, AnswerKind.ONE, AnswerKind.OPEN):
            speeds = [text] if (text := speed_clause(best[0], self._baseline)) else self._next()
            pairs = _ladder(quality_clauses(best[0]), size_clauses(best[0]))
            return [joined([speed, quality, bytes_]) for speed in speeds for quality, bytes_ in pairs]
        known = self._quality_range(best)
        if kind is AnswerKind.EMULATED:
            return [known] if known else []
        if kind is AnswerKind.NO_INTERVAL:
            ends = [f"{time_text(row, best)} ms/{self._answer.unit} ({self._name(row)})" for row in (best[0], best[-1])]
            return [f"medians from {' to '.join(ends)}", self._times(best)]
        speed, smallest = self._speed_range(best), min(best, key=lambda row: row.bytes)
        sizes = f"smallest: {self._name(smallest)}, {size(smallest.bytes)}" if smallest.bytes else ""
        times = self._times(best)
        ladder = (
            [times, speed, known, sizes], [times, speed, known], [speed, known, sizes], [speed, known],
            [times, speed], [times],
        )  # fmt: skip
        return [joined(parts) for parts in ladder if any(parts)]

    def _name(self, row: Row) -> str:
        name = configuration_name(row.configuration, self._comparison.rows)
        return f"{name} ({self._sides.name(row.run_id)})" if self._sides.several else name

    def _next(self) -> list[str]:
        """Return what follows the baseline if it is the fastest itself, from the longest text to the shortest."""
        after = self._answer.runner_up
        if not self._answer.best[0].is_baseline or after is None:
            return [""]
        next_ = f"the baseline; next: {self._name(after)}"
        interval = speed_clause(after, "it").partition(" [")[2]
        speed = speed_text(after)
        return [f"{next_}, {speed} [{interval}", f"{next_}, {speed}"] if interval else [f"{next_}, {speed}"]

    def _times(self, best: Sequence[Row]) -> str:
        ends = dict.fromkeys(time_text(row, best, interval=False) for row in (best[0], best[-1]))
        return f"{' to '.join(ends)} ms/{self._answer.unit}"

    def _speed_range(self, best: Sequence[Row]) -> str:
        """Return how much faster or slower than the baseline these are, if all are; else that the baseline is one."""
        if any(row.is_baseline for row in best):
            return f"{self._baseline}, the baseline, is one of them"
        for verdict in (Verdict.FASTER, Verdict.SLOWER):
            ratios = [row.ratio for row in best if row.ratio and row.verdict is verdict]
            if len(ratios) == len(best):
                speeds = sorted((inverse(each) if verdict is Verdict.FASTER else each).value for each in ratios)
                ends = dict.fromkeys(f"{significant(each)}×" for each in (speeds[0], speeds[-1]))
                return f"{' to '.join(ends)} {verdict} than {self._baseline}"
        return ""

    def _quality_range(self, rows: Sequence[Row]) -> str:
        known = [row for row in rows if quality_text(row)]
        if not known:
            return "no true values" if not self._answer.labelled else ""
        known.sort(key=lambda row: row.quality[0].value or 0)
        first = known[0].quality[0]
        ends = dict.fromkeys(quality_text(row) for row in (known[0], known[-1]))
        return f"{first.name} {' to '.join(ends)}{' %' if first.percent else ''}"


def _ladder(known: Sequence[str], sizes: Sequence[str]) -> list[tuple[str, str]]:
    """Return pairs from the longest to the shortest; the quality is shortened first."""
    pairs = [(quality, sizes[0]) for quality in known]
    return [*pairs, *((known[-1], each) for each in sizes[1:]), (known[-1], "")]


def listed(names: Sequence[str]) -> str:
    """Return ``a, b and c``."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def share_text(share: float) -> str:
    """Return by how much times differ: ``2.1 %``, at least ``0.1 %``; ``a factor of 73`` from twice as long on."""
    if share >= 1:
        return f"a factor of {significant(1 + share, 2)}"
    return f"{significant(max(100 * share, 0.1), 2)} %"
