"""The few notes below a short table: one for each cause, the most important first."""

import re
from collections.abc import Callable, Iterable, Sequence

from edge_bench.app.render.text.wrapping import clipped
from edge_bench.app.render.units import counted, significant, with_interval
from edge_bench.app.tables.answer.agreement import agreement_notes
from edge_bench.app.tables.answer.names import Sides, baseline_name, configuration_name, short_name
from edge_bench.app.tables.answer.search import search_notes
from edge_bench.app.tables.energy import energy_fact, energy_remarks
from edge_bench.app.tables.runs.separate_runs import separation_notes
from edge_bench.app.tables.shared import finding_notes
from edge_bench.bench.analysis.answer.answer import Answer
from edge_bench.bench.analysis.comparison.comparison import Comparison, Row
from edge_bench.bench.analysis.energy.joules import NONE, source_of
from edge_bench.bench.analysis.times.groups import repeats_together
from edge_bench.bench.analysis.times.processes import process_luck, slow_trials
from edge_bench.bench.analysis.times.repeats import run_to_run
from edge_bench.bench.records.run import CLASSIFY, Result, Run
from edge_bench.bench.stats.ratios import Verdict, verdict

__all__ = ["MAX_NOTES", "all_short_notes", "shown_notes"]

MAX_NOTES = 5
_MAX_LINES = 7
#: How a note of a Comparison begins that is less important than all others.
_NEITHER = "neither "
_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")
#: What the warnings about times begin with or contain (`bench/measure/recording/trial_warnings.py`).
_OF_TIMES = ("unstable:", "outlier", "got slower", "its trials take", "do not fit in memory")


def all_short_notes(
    runs: Sequence[Run], comparison: Comparison | None, answer: Answer, *, with_reason: bool
) -> list[str]:
    """Return the notes, most important first; those with ``!`` make a number doubtful.

    ``with_reason``: whether to repeat why times are not reliable, with the whole remedy.
    """
    outputs, times = _warnings(runs)
    notes = [
        *_interrupted(runs),
        *_failures(runs),
        *([f"! {answer.reason.what}: {answer.reason.remedy}"] if with_reason and answer.reason else []),
        *(f"NOTE: {note}" for note in _distinct(run.bundle.note for run in runs)),
        *(search_notes(answer, comparison.rows) if comparison else []),
        *_between_runs(runs),
        *(agreement_notes(comparison) if comparison else []),
        *outputs,
        *_quality_notes(runs),
        *_energies(runs),
        *(_of_comparison(comparison, runs) if comparison and len(comparison.rows) > 1 else []),
        *(f"- {note}" for note in _distinct(note for run in runs for note in run.images.notes)),
        *times,
        *_tails(runs, lucky=comparison is None or not any(row.process_luck for row in comparison.rows)),
        *_distinct(
            note
            for run in runs
            for note in finding_notes([each for each in run.findings if not each.spoils and run.trusted is not None])
        ),
    ]
    return _distinct(notes)


def shown_notes(notes: Sequence[str], width: int, more: str) -> list[str]:
    """Return at most five notes in at most seven lines; ``more`` says how to see the others, and is one of the five."""
    notes = [note if note.startswith(("- ", "! ", "NOTE")) else f"- {note}" for note in notes]
    texts = [clipped(note, width) for note in notes]
    if len(texts) <= MAX_NOTES and sum(map(len, texts)) <= _MAX_LINES:
        return [line for text in texts for line in text]
    count = min(len(texts), MAX_NOTES) - (len(texts) > MAX_NOTES)
    while count and sum(map(len, texts[:count])) + 1 > _MAX_LINES:
        count -= 1
    rest = f"- {counted(len(texts) - count, 'more note')}: {more}"
    return [*(line for text in texts[:count] for line in text), *clipped(rest, width)]


def _distinct(texts: Iterable[str]) -> list[str]:
    return [text for text in dict.fromkeys(texts) if text]


def _named(names: Sequence[str]) -> str:
    """Return one or two names, or how many there are."""
    distinct = list(dict.fromkeys(names))
    return " and ".join(distinct) if len(distinct) <= 2 else f"{len(distinct)} configurations"


def _short(result: Result) -> str:
    return short_name(result.configuration)


def _interrupted(runs: Sequence[Run]) -> list[str]:
    unfinished = [run for run in runs if not run.complete]
    which = "" if len(runs) == 1 else f" ({len(unfinished)} of {len(runs)} runs)"
    return [f"! INTERRUPTED{which}: only the trials before the interruption are included"] if unfinished else []


def _failures(runs: Sequence[Run]) -> list[str]:
    failed: dict[tuple[str, str, str], list[str]] = {}
    for run in runs:
        for result in run.results:
            if failure := result.failure:
                failed.setdefault((failure.kind, failure.message, failure.remedy), []).append(_short(result))
    return [
        f"! {_named(names)}: {kind}: {message}{f' ({remedy})' if remedy else ''}"
        for (kind, message, remedy), names in failed.items()
    ]


def _between_runs(runs: Sequence[Run]) -> list[str]:
    """Return how much times vary between repeats, and that predictions differ."""
    notes = []
    groups = repeats_together(runs)
    for group in groups:
        if len(group) == 1:
            continue
        where = f"{group[0].machine.hostname}: " if len(groups) > 1 else ""
        variations = run_to_run(group)
        known = sorted(found for each in variations if (found := each.standard_deviation) is not None)
        if known:
            ends = dict.fromkeys(significant(100 * each, 2) for each in (known[0], known[-1]))
            notes.append(f"- {where}times vary by {' to '.join(ends)} % from run to run (standard deviation)")
        differing = [each for each in variations if each.differing_predictions]
        if differing:
            names = _named([short_name(each.configuration) for each in differing])
            notes.append(f"- {names}: predictions differ between runs: the model or its runtime is not deterministic")
    return notes


def _warnings(runs: Sequence[Run]) -> tuple[list[str], list[str]]:
    """Return the warnings about outputs and those about times, but not emulated ones, merged over configurations."""
    found: dict[str, list[tuple[str, str]]] = {}
    for run in runs:
        for result in run.results:
            for warning in result.warnings:
                if run.emulated and _is_of_times(warning):
                    continue
                key = re.sub(r"s\b", "", _NUMBER.sub("#", warning))
                found.setdefault(key, []).append((_short(result), warning))
    outputs, times = list[str](), list[str]()
    for items in found.values():
        text = f"{_named([name for name, _ in items])}: {_merged([warning for _, warning in items])}"
        of_times = _is_of_times(items[0][1])
        (times if of_times else outputs).append(f"{'-' if of_times else '!'} {text}")
    return outputs, times


def _is_of_times(warning: str) -> bool:
    return any(part in warning for part in _OF_TIMES)


def _merged(texts: Sequence[str]) -> str:
    """Return the longest of texts that differ in numbers only, with ``11 to 40`` for numbers that differ."""
    numbers = list(zip(*(_NUMBER.findall(text) for text in texts), strict=False))
    ranges = iter(
        [
            each[0]
            if len(set(each)) == 1
            else " to ".join(sorted({min(each, key=_value), max(each, key=_value)}, key=_value))
            for each in numbers
        ]
    )
    return _NUMBER.sub(lambda match: next(ranges, match[0]), max(texts, key=len))


def _value(number: str) -> float:
    return float(number.replace(",", ""))


def _quality_notes(runs: Sequence[Run]) -> list[str]:
    notes = []
    if any(run.accuracy_assumed for run in runs):
        notes.append("! ASSUMED: nothing shows that images and labels are interpreted correctly (--assume)")
    if any(run.settings.stateful for run in runs):
        notes.append("- --stateful: the model's state was kept between invocations, so there is no accuracy")
    if any(run.task == CLASSIFY and not run.labelled and not run.bundle.note for run in runs):
        notes.append("- the images have no true labels: there is agreement, but no accuracy")
    return notes


def _energies(runs: Sequence[Run]) -> list[str]:
    """Return the meter and the idle power of each Run with energy, and why energies are missing."""
    several = len({run.machine.hostname for run in runs}) > 1
    notes = []
    for run in runs:
        if source_of(run).source != NONE:
            where = f" of {run.machine.hostname}" if several else ""
            notes.append(f"- energy{where}: {energy_fact(run)}")
            for why, configurations in energy_remarks(run).items():
                names = _named([f"{each.variant} on {each.runtime}" for each in configurations])
                notes.append(f"- energy{where}, {names}: {why}")
    return notes


def _of_comparison(comparison: Comparison, runs: Sequence[Run]) -> list[str]:
    sides = Sides(comparison.rows)
    letters = {row.run_id: sides.name(row.run_id) for row in sides.rows}

    def name(row: Row) -> str:
        text = configuration_name(row.configuration, comparison.rows)
        return f"{text} ({letters[row.run_id]})" if sides.several else text

    known = {run.bundle.note for run in runs}
    notes = [note for note in comparison.notes if note not in known]
    return [
        *_without_interval(comparison, name),
        *(f"- {note}" for note in sorted(notes, key=lambda note: note.startswith(_NEITHER))),
        *separation_notes(
            (letters[row.run_id], configuration_name(row.configuration, comparison.rows), row.separation)
            for row in comparison.rows
        ),
        *_statistic(comparison, name),
        *_verdict_notes(comparison, name),
        *_slack(comparison, name),
    ]


def _verdict_notes(comparison: Comparison, name: Callable[[Row], str]) -> list[str]:
    """Return how verdicts were made in unusual cases, one note for each case."""
    rows = comparison.rows
    notes = []
    if lucky := [name(row) for row in rows if row.process_luck]:
        notes.append(
            f"- {_named(lucky)}: each process kept its own speed, so processes are compared, not trials; use "
            "--processes 10"
        )
    if slow := [name(row) for row in rows if row.slow_tail]:
        notes.append(
            f"- {_named(slow)}: slow tail: whole passes differ from the baseline's, typical invocations do not"
        )
    undecided = [row for row in rows if row.ratio and row.verdict is Verdict.UNDECIDED is not verdict(row.ratio)]
    if undecided:
        notes.append(
            f"- {_named([name(row) for row in undecided])}: undecided although the interval is beyond 2 %: one "
            "such interval among all verdicts is likely by chance"
        )
    return notes


def _slack(comparison: Comparison, name: Callable[[Row], str]) -> list[str]:
    """Return what an offload of the original may cost, of the light configuration with the lowest slack.

    Empty if that is nothing or undecided: the full notes have each slack.
    """
    if not comparison.slacks:
        return []
    slack = min(comparison.slacks, key=lambda each: each.seconds)
    light = next(
        name(row)
        for row in comparison.rows
        if (row.run_id, row.configuration) == (slack.light_run, slack.light)
    )  # fmt: skip
    interval = slack.interval
    if interval is None or interval.low <= 0:
        return []
    cost = f"{with_interval(slack.seconds, interval)} s per pass of {counted(slack.images, comparison.unit)}"
    return [f"- offload: running {light} locally is faster if an offload of the original costs more than {cost}"]


def _without_interval(comparison: Comparison, name: Callable[[Row], str]) -> list[str]:
    compared = [row for row in comparison.rows if row.ratio]
    without = [row for row in compared if row.no_interval]
    if not without:
        return []
    which = "" if len(without) == len(compared) else f" on {_named([name(row) for row in without])}"
    return [f"! no verdict{which}: {without[0].no_interval}; use --processes 5"]


def _statistic(comparison: Comparison, name: Callable[[Row], str]) -> list[str]:
    """Return whose ratio is of another statistic than the times beside it."""
    others = [name(row) for row in comparison.rows if row.estimator and row.estimator is not comparison.estimator]
    if not others:
        return []
    ratio = f"against {baseline_name(comparison)} is of typical invocations for {_named(others)}"
    return [f"- times are of whole passes; the verdict {ratio}"]


def _tails(runs: Sequence[Run], *, lucky: bool) -> list[str]:
    """Return notes on processes that differ, with ``lucky``, and on slow trials."""
    slow, worst, differing, most = list[str](), 0.0, list[str](), 0
    for run in runs:
        for result in [] if run.emulated or run.settings.sustained else run.results_with_trials:
            found = slow_trials(result.pass_seconds())
            if found.slowest:
                slow.append(_short(result))
                worst = max(worst, found.slowest)
            luck = process_luck(result.seconds_by_process())
            if luck and luck.of_processes:
                differing.append(_short(result))
                most = max(most, len(result.by_process()))
    notes = []
    if lucky and differing:
        notes.append(f"- {_named(differing)}: each process kept its own speed; use --processes {max(10, 2 * most)}")
    if slow:
        notes.append(
            f"- {_named(slow)}: some trials are over 10 % slower than the median one, by up to {100 * worst:.0f} %"
        )
    return notes
