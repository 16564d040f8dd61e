"""Engines that deliver no Runs, and since when."""

from collections.abc import Iterator, Sequence

from edge_bench.bench.records.nights.night import Measurement, MeasurementState, Night, SilentEngine

__all__ = ["silent_engines"]


def silent_engines(tonight: Night, earlier: Sequence[Night], report_after: int) -> list[SilentEngine]:
    """Return the engines that delivered no Run of any model tonight.

    An engine is reported in the night in which it has been without a Run for ``report_after`` nights, and once more
    whenever that number has doubled.
    """
    found = []
    for engine, works in _by_engine(tonight):
        if _delivered(works):
            continue
        first, nights, last = tonight, 1, ""
        for night in reversed(earlier):
            before = [each for each in night.measurements if each.engine == engine]
            if _delivered(before):
                last = night.began
                break
            if before and any(each.state is not MeasurementState.WAITING for each in before):
                first, nights = night, nights + 1
        reason = next((each for each in works if each.reason), works[0])
        found.append(
            SilentEngine(
                engine=engine,
                nights=nights,
                since_night=first.number,
                since=first.began,
                last_delivered=last,
                answers=any(each.state is MeasurementState.FAILED for each in works),
                reason=reason.reason,
                remedy=reason.remedy,
                reported=_is_due(nights, report_after),
            )
        )
    return found


def _by_engine(night: Night) -> Iterator[tuple[str, list[Measurement]]]:
    for name in dict.fromkeys(each.engine for each in night.measurements):
        yield name, [each for each in night.measurements if each.engine == name]


def _delivered(works: Sequence[Measurement]) -> bool:
    return any(each.state is MeasurementState.DELIVERED for each in works)


def _is_due(nights: int, report_after: int) -> bool:
    times, rest = divmod(nights, report_after)
    return not rest and times & (times - 1) == 0
