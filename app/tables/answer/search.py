"""What --find-fastest adds to an answer: the probability of the winner, its cost in quality, and notes."""

import math
from collections.abc import Sequence

import msgspec

from edge_bench.app.render.units import counted, significant
from edge_bench.app.tables.answer.cells import UNRELIABLE, joined, quality_clauses, size_clauses
from edge_bench.app.tables.answer.names import configuration_name
from edge_bench.bench.analysis.answer.answer import Answer, AnswerKind
from edge_bench.bench.analysis.comparison.comparison import Row
from edge_bench.bench.analysis.fastest.search import Search

__all__ = ["open_text", "probability_text", "search_notes", "second_line"]


def probability_text(answer: Answer) -> str:
    """Return ``; probability 97 %``, rounded down, with ``~`` if times are not reliable.

    It is empty without --find-fastest, and for the only configuration.
    """
    if answer.search is None or answer.search.probability is None:
        return ""
    percent = math.floor(100 * answer.search.probability)
    mark = f" {UNRELIABLE.strip()}" if answer.trusted is False else ""
    return f"; probability {'over 99' if percent >= 99 else percent} %{mark}"


def open_text(search: Search) -> str:
    """Return why the fastest configuration of the second round is not called the fastest."""
    count = len(search.open)
    return f"{counted(count, 'configuration')} not measured fully may be faster"


def second_line(answer: Answer, search: Search, rows: Sequence[Row], speeds: Sequence[str]) -> list[str]:
    """Return the line below the winner, from the longest to the shortest: speed, quality and size.

    A winner that loses quality is marked, and the fastest configuration that does not is named. ``speeds`` are clauses
    about its speed.
    """
    best, cost = answer.best[0], search.cost
    reference = configuration_name(cost.reference, rows)
    compared = msgspec.structs.replace(
        best,
        is_baseline=best.configuration == cost.reference,
        quality_differences=[cost.difference] if cost.difference else [],
        accuracy_difference=cost.accuracy,
        agreement=cost.agreement,
        task_agreement=cost.task_agreement,
    )
    quality = [each.replace("the baseline", reference) for each in quality_clauses(compared)]
    if cost.difference and cost.difference.value:
        quality = [f"{each} against {reference}" for each in quality]
    batch = best.configuration.batch_size
    if batch > 1 and best.time:
        speeds = [joined([each, f"a batch takes {significant(batch * best.time.milliseconds)} ms"]) for each in speeds]
    if cost.known and cost.loses:
        loss = f"! {quality[-1]}"
        return [*([f"{loss}; without loss: {other}"] if (other := _other(search, best, rows)) else []), loss]
    sizes = size_clauses(best)
    return [
        *(joined([each, words, sizes[-1]]) for each in speeds for words in quality),
        joined([speeds[-1], quality[-1]]),
    ]


def _other(search: Search, best: Row, rows: Sequence[Row]) -> str:
    """Return the fastest configuration of the second round that loses no quality, and how much slower it is."""
    row = next((each for each in rows if each.configuration == search.without_loss and each.time), None)
    if row is None or row.time is None or best.time is None:
        return ""
    times = row.time.milliseconds / best.time.milliseconds
    return f"{configuration_name(row.configuration, rows)}, {significant(times)}× slower"


def search_notes(answer: Answer, rows: Sequence[Row]) -> list[str]:
    """Return notes on the first round, and on the latency of batches; none without --find-fastest."""
    search = answer.search
    if search is None:
        return []
    notes = []
    left_out = search.configurations - len(search.finalists)
    if search.open:
        names = configuration_name(search.open[0], rows)
        notes.append(
            f"! first round: {len(search.open)} of {counted(left_out, 'configuration')} left out were not "
            f"significantly slower ({names}{' …' if len(search.open) > 1 else ''}): select fewer with --variant, "
            "--runtime, --threads or --batch-size"
        )
    elif left_out:
        notes.append(
            f"- first round: {left_out} of {search.configurations} configurations left out after "
            f"{counted(search.first_trials, 'trial')}, all significantly slower"
        )
    batch = answer.best[0].configuration.batch_size
    if batch > 1 and answer.kind is not AnswerKind.EMULATED:
        notes.append(
            f"- batch {batch}: the time per {answer.unit} is that of a batch divided by {batch}. For the lowest "
            "latency of one, use --scenario single-stream"
        )
    return notes
