"""The rounds of a run: one with all configurations, or with --find-fastest a brief first and a full second one."""

from collections.abc import Callable, Sequence

from edge_bench.bench.analysis.fastest.finalists import MIN_FINALISTS, choose_finalists
from edge_bench.bench.measure.plan import Planned
from edge_bench.bench.measure.schedule import Generation, grouped_schedule, schedule
from edge_bench.bench.records.settings.settings import Settings
from edge_bench.bench.wording import counted

__all__ = [
    "Group",
    "choose_finalists",
    "final_round",
    "finalists_text",
    "first_round",
    "missing_trials",
    "processes_of",
]

#: Configurations whose workers run at the same time, and their rounds; ``rounds`` has positions in the first.
Group = tuple[Sequence[int], Generation]


def first_round(runnable: Sequence[int], settings: Settings) -> list[Group]:
    """Return the first round of --find-fastest; none if there are too few configurations to leave any out."""
    first = settings.first_round
    if first is None or len(runnable) <= MIN_FINALISTS:
        return []
    return _members(grouped_schedule(len(runnable), first.trials, first.processes, settings.seed), runnable)


def final_round(runnable: Sequence[int], settings: Settings, repeat: int) -> list[Group]:
    """Return the round with all trials. Its generations are numbered after those of a first round."""
    if settings.at_once is not None and settings.first_round is None and len(runnable) > settings.at_once:
        seed = settings.seed + max(0, repeat - 1)
        groups = grouped_schedule(len(runnable), settings.trials, settings.processes, seed, settings.at_once)
        return _members(groups, runnable)
    before = settings.first_round.processes if settings.first_round else 0
    generations = schedule(len(runnable), settings.trials, settings.processes, settings.seed, repeat)
    return [(runnable, Generation(before + each.number, each.rounds)) for each in generations]


def _members(groups: Sequence[tuple[list[int], Generation]], runnable: Sequence[int]) -> list[Group]:
    return [([runnable[member] for member in members], generation) for members, generation in groups]


def missing_trials(group: Group, made: Callable[[int, int, int], bool]) -> dict[int, int]:
    """Return the number of trials that each configuration of a group still needs in its generation.

    made: returns whether a trial is finished, of a configuration, a generation and a round
    """
    members, generation = group
    rounds = range(len(generation.rounds))
    return {
        number: sum(not made(number, generation.number, round_number) for round_number in rounds) for number in members
    }


def processes_of(settings: Settings) -> int:
    """Return the number of processes of a configuration in all rounds."""
    return settings.processes + (settings.first_round.processes if settings.first_round else 0)


def finalists_text(planned: Sequence[Planned], finalists: Sequence[int], configurations: int) -> str:
    """Return which configurations are in the second round: ``second round: 2 of 24 configurations: …``."""
    names = "; ".join(str(planned[number].configuration) for number in finalists)
    return (
        f"second round: {len(finalists)} of {counted(configurations, 'configuration')}{f': {names}' if names else ''}"
    )
