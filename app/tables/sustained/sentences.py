"""The answer of a sustained load: whether the fastest configuration stays as fast, and the order of several."""

from collections.abc import Sequence

from edge_bench.app.render.text.wrapping import first_that_fits, wrapped
from edge_bench.app.render.units import significant
from edge_bench.app.tables.answer.layout import UNLIMITED
from edge_bench.app.tables.answer.names import configuration_name
from edge_bench.app.tables.answer.reliability import Reliable, reliability_texts
from edge_bench.bench.analysis.sustained.load import Conditions, Load, Outcome
from edge_bench.bench.analysis.times.reliability import reliability_of
from edge_bench.bench.progress import duration_text
from edge_bench.bench.records.run import Run

__all__ = ["by_end", "change_text", "conditions_text", "moment_text", "sustained_sentences"]

#: Configurations that the order names.
_NAMED = 4
_LEADS = {Outcome.STEADY: "Steady", Outcome.SLOWER: "Slower", Outcome.FASTER: "Faster"}


def by_end(loads: Sequence[Load]) -> list[Load]:
    """Return the loads by the time at their end; unfinished ones are last."""
    return sorted(loads, key=lambda load: (load.outcome is Outcome.UNFINISHED, load.end_ms or load.start_ms))


def moment_text(load: Load) -> str:
    """Return when a load became slower or faster, in whole minutes from two minutes on; empty if it did not."""
    after = load.changed_after_s
    if after is None:
        return ""
    return duration_text(after if after < 120 else 60 * round(after / 60))


def change_text(load: Load) -> str:
    """Return the change of the time from start to end, in percent with its 95 % interval; empty if unfinished."""
    if load.ratio is None or load.outcome is Outcome.UNFINISHED:
        return ""
    return _percent_text(load, signed=True)


def _percent_text(load: Load, *, signed: bool = False) -> str:
    """Return ``12 % [10, 14]``; of a faster configuration without the sign, unless ``signed``."""
    if load.ratio is None:
        return ""
    interval = load.ratio.interval
    values = [load.ratio.value, *([interval.low, interval.high] if interval else [])]
    shares = [100 * (each - 1) for each in values]
    if not signed and load.outcome is Outcome.FASTER:
        shares = [-shares[0], *(-each for each in reversed(shares[1:]))]
    decimals = 0 if max(shares) - min(shares) >= 1 else 1
    sign = "+" if signed else ""
    value, *ends = (f"{round(each, decimals) + 0.0:{sign}.{decimals}f}" for each in shares)  # + 0.0: never -0.0
    return f"{value} %{f' [{ends[0]}, {ends[1]}]' if ends else ''}"


def sustained_sentences(run: Run, loads: Sequence[Load], width: int = UNLIMITED) -> list[str]:
    """Return the lines of the answer; ``loads`` has at least one.

    The first is about the configuration with the lowest time at its end. The second has temperature and clock, or of
    several configurations their order. The third says whether the times are reliable.
    """
    reliability = reliability_of([run])
    reason = reliability.reasons[0] if reliability.reasons else None
    reliable = Reliable(reliability.trusted, reason, 0, reliability.measured, "configuration")
    ordered = by_end(loads)
    texts = [
        _first(run, ordered),
        _order(ordered) if len(loads) > 1 else [conditions_text(ordered[0])],
        reliability_texts(reliable),
    ]
    return [line for each in texts if each for line in wrapped(first_that_fits(width, each), width)]


def _first(run: Run, loads: Sequence[Load]) -> list[str]:
    load, unit = loads[0], f"ms/{run.unit}"
    name = configuration_name(load.configuration, loads)
    names = [f"{name}, the fastest at the end", name] if len(loads) > 1 else [name]
    planned = run.settings.sustained.duration_s if run.settings.sustained else load.seconds
    duration = duration_text(planned)
    times = f"{significant(load.start_ms)} → {significant(load.end_ms or load.start_ms)} {unit}"
    match load.outcome:
        case Outcome.STEADY:
            return [f"Steady: {each}, {significant(load.end_ms or 0)} {unit} over {duration}" for each in names]
        case Outcome.SLOWER | Outcome.FASTER:
            after = moment_text(load)
            lead = f"{_LEADS[load.outcome]} by {_percent_text(load)} after {after}"
            return [f"{lead}: {each}, {times}" for each in names]
        case Outcome.UNDECIDED:
            change = f"{change_text(load)} over {duration}"
            return [
                *(f"Undecided whether steady: {each}, {change}; {load.reason}" for each in names if load.reason),
                *(f"Undecided whether steady: {each}, {change}" for each in names),
            ]
        case _:
            return [f"No answer: {name}: {load.reason} after {duration_text(load.seconds)} of {duration}"]


def _order(loads: Sequence[Load]) -> list[str]:
    """Return the order of finished configurations at the start and at the end; it is not tested."""
    finished = [load for load in loads if load.outcome is not Outcome.UNFINISHED]
    if len(finished) < 2:
        return []
    at_start = sorted(finished, key=lambda load: load.start_ms)
    early, late = (_names(each, loads) for each in (at_start, finished))
    why = "they ran one after the other, so they are not compared"
    if [load.configuration for load in at_start] == [load.configuration for load in finished]:
        return [f"Order at the start and at the end: {late} ({why})", f"Order at the start and at the end: {late}"]
    text = f"Order at the start: {early}; at the end: {late}"
    return [f"{text} ({why})", text]


def _names(ordered: Sequence[Load], loads: Sequence[Load]) -> str:
    names = [configuration_name(load.configuration, loads) for load in ordered]
    more = len(names) - _NAMED
    return f"{', '.join(names[:_NAMED])}{f' and {more} more' if more > 0 else ''}"


def conditions_text(load: Load) -> str:
    """Return temperature and clock when the times changed, or at the end, and at the start; or that none is known."""
    later, when = (load.at_change, "then") if load.at_change else (load.at_end, "at the end")
    then, start = _conditions(later), _conditions(load.at_start)
    highest = f"; at most {load.highest_c:.0f} °C" if load.highest_c is not None else ""
    if not then or not start:
        return "Temperature and clock are unknown: this machine has no sensors for them."
    return f"{then} {when}; {start} at the start{highest}"


def _conditions(found: Conditions) -> str:
    parts = [f"{found.temperature_c:.0f} °C"] if found.temperature_c is not None else []
    parts += [f"{found.clock_mhz:,.0f} MHz"] if found.clock_mhz is not None else []
    return " and ".join(parts)
