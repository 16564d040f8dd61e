"""An Offload in, answers out: here or there, by how much, from which round trip on, at what price."""

from collections.abc import Callable, Iterable, Mapping

import msgspec
import numpy as np
import numpy.typing as npt

from edge_bench.bench.analysis.agreement import Agreement, agreement_of
from edge_bench.bench.analysis.timings import ratio_of_rounds
from edge_bench.bench.io.record_codec import unpack
from edge_bench.bench.offload.analysis.latency_model import (
    Parts,
    break_even_bps,
    break_even_rtt,
    parts_of,
    predicted,
    predicted_directly,
    slack_of,
)
from edge_bench.bench.offload.network.link import DIRECT, Link
from edge_bench.bench.offload.records.offload import PARTS, Arm, Offload
from edge_bench.bench.offload.records.power import local_joules, remote_joules
from edge_bench.bench.stats.intervals import (
    Interval,
    PairedDifference,
    mean_interval,
    paired_difference,
    percentile_supported,
)
from edge_bench.bench.stats.ratios import Ratio, Verdict, paired_ratio, verdict

__all__ = ["Assessment", "Estimate", "JudgedRatio", "Row", "assess", "decision_map"]


class Estimate(msgspec.Struct, frozen=True):
    """A figure and its 95 % interval over processes; None where one process cannot have one."""

    value: float
    interval: Interval | None


class JudgedRatio(msgspec.Struct, frozen=True):
    """How many times as long sending takes as staying, and what that allows to say of sending."""

    ratio: Ratio
    verdict: Verdict


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One way of sending against staying; what cannot be said is None, and ``remark`` says why."""

    name: str
    payload: str
    link: str
    in_flight: int
    measured: Estimate | None = None  # p50 from an image's pixels to its label, seconds
    p50: JudgedRatio | None = None
    p95: JudgedRatio | None = None
    throughput: JudgedRatio | None = None  # of the time an image over whole passes
    parts: dict[str, float] = {}  # medians, seconds
    bytes_up: float = 0.0
    bytes_down: float = 0.0
    predicted: float | None = None  # by the model, seconds
    error: float | None = None  # of the prediction, as a share of what was measured
    break_even_rtt: Estimate | None = None  # seconds
    break_even_bps: float | None = None  # upwards; None: no bandwidth is enough, or nothing limits it
    accuracy_difference: PairedDifference | None = None  # sending less staying
    agreement: Agreement | None = None
    joules: Estimate | None = None  # an inference
    cheaper: JudgedRatio | None = None  # of the energies: "faster" is cheaper
    remark: str = ""


class Assessment(msgspec.Struct, frozen=True, kw_only=True):
    """What an offload says."""

    local: Estimate | None  # p50, seconds
    local_p95: float | None
    local_images_per_second: float | None
    local_accuracy: tuple[int, int] | None
    local_joules: Estimate | None
    energy: str  # meter · stated · none
    slack: Estimate | None  # the paper's: seconds an image that sending may cost
    rows: list[Row]


def assess(offload: Offload) -> Assessment:
    """Everything that follows from what was measured. Emulated times are nobody's verdict."""
    local = offload.local
    payloads = list(dict.fromkeys(arm.payload for arm in offload.remotes))
    parts = {payload: _parts(offload, payload) for payload in payloads}
    slacks = [slack_of(each) for table in list(parts.values())[:1] for each in table.values()]
    p95 = _supported(local, 95) and local.process_medians("p95")
    seconds = local.process_medians("an image")
    return Assessment(
        local=_positive(local.process_medians("p50").values()),
        local_p95=float(np.median(list(p95.values()))) if p95 else None,
        local_images_per_second=1 / float(np.median(list(seconds.values()))) if seconds else None,
        local_accuracy=_correct(offload, ""),
        local_joules=_positive(_joules(offload, local).values()),
        energy="meter" if offload.meter else "stated" if offload.power else "none",
        slack=None if offload.emulated else _estimate(slacks),
        rows=[_row(offload, arm, parts[arm.payload]) for arm in offload.remotes],
    )


def _parts(offload: Offload, payload: str) -> dict[int, Parts]:
    direct = next(
        (arm for arm in offload.remotes if (arm.payload, arm.link, arm.in_flight) == (payload, DIRECT, 1)), None
    )
    return parts_of(offload, direct) if direct else {}


def _row(offload: Offload, arm: Arm, parts: Mapping[int, Parts]) -> Row:
    row = Row(name=arm.name, payload=arm.payload, link=arm.link, in_flight=arm.in_flight)
    if not arm.trials:
        return msgspec.structs.replace(row, remark=arm.failure.message if arm.failure else "not measured")
    difference, agreement = _same_images(offload, arm.payload)
    row = msgspec.structs.replace(
        row,
        measured=_positive(arm.process_medians("p50").values()),
        parts={name: float(np.median(list(arm.process_medians(name).values()))) for name in PARTS},
        bytes_up=arm.bytes_up,
        bytes_down=arm.bytes_down,
        accuracy_difference=difference,
        agreement=agreement,
        remark=arm.failure.message if arm.failure else "",
    )
    if offload.emulated:
        return msgspec.structs.replace(row, remark=row.remark or "EMULATED: no verdict on time")
    local = offload.local
    row = msgspec.structs.replace(
        row,
        throughput=_judged(arm, local, "an image"),
        joules=_positive(_joules(offload, arm).values()),
        cheaper=_compared(_joules(offload, arm), _joules(offload, local)),
    )
    if arm.in_flight > 1:  # an image's own latency is of no use where several are on their way
        return row
    both = _supported(arm, 95) and _supported(local, 95)
    row = msgspec.structs.replace(row, p50=_judged(arm, local, "p50"), p95=_judged(arm, local, "p95") if both else None)
    return _with_model(row, offload, arm, parts)


def _with_model(row: Row, offload: Offload, arm: Arm, parts: Mapping[int, Parts]) -> Row:
    """Predicted beside measured, and where both choices would be the same."""
    link = offload.link(arm.link)
    if not parts or row.measured is None:
        return row
    expected: Callable[[Parts], float] | None = None
    if link is not None:
        expected = lambda each: predicted(each, link)  # noqa: E731
    elif (path := offload.path) is not None:
        expected = lambda each: predicted_directly(each, path)  # noqa: E731
    forecast = float(np.mean([expected(each) for each in parts.values()])) if expected else None
    needed = [break_even_bps(each, link) for each in parts.values()] if link else []
    return msgspec.structs.replace(
        row,
        predicted=forecast,
        error=None if forecast is None else forecast / row.measured.value - 1,
        break_even_rtt=_estimate([break_even_rtt(each, link) for each in parts.values()]),
        break_even_bps=float(np.median([rate for rate in needed if rate])) if needed and all(needed) else None,
    )


def decision_map(
    offload: Offload, payload: str, rtts_s: npt.NDArray[np.float64], rates_bps: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64] | None:
    """Who would win at each round trip and bandwidth (the same both ways), by the model; shape [rates, rtts].

    1: sending is faster, -1: staying is, 0: undecided or the same, by the interval of the ratio over processes. None
    where it cannot be said.
    """
    parts = list(_parts(offload, payload).values())
    if len(parts) < 2 or offload.emulated:
        return None
    answer = np.zeros((len(rates_bps), len(rtts_s)))
    for row, rate in enumerate(rates_bps):
        for column, rtt in enumerate(rtts_s):
            link = Link(name="", rtt_s=float(rtt), up_bps=float(rate), down_bps=float(rate))
            logs = [np.log([predicted(each, link) / each.local_s]) for each in parts]
            said = verdict(paired_ratio([np.exp(log) for log in logs], [np.ones(1)] * len(logs)))
            answer[row, column] = {Verdict.FASTER: 1, Verdict.SLOWER: -1}.get(said, 0)
    return answer


def _estimate(values: Iterable[float]) -> Estimate | None:
    """Of differences, which may be negative."""
    array = list(values)
    return Estimate(*mean_interval(array)) if array else None


def _positive(values: Iterable[float]) -> Estimate | None:
    """Of times and energies, on a log scale, as ratios are: no interval of a time reaches below nothing."""
    array = np.array(list(values))
    if not len(array) or array.min() <= 0:
        return None
    centre, interval = mean_interval(np.log(array))
    return Estimate(float(np.exp(centre)), interval and Interval(*np.exp([interval.low, interval.high]).tolist()))


def _supported(arm: Arm, percentile: float) -> bool:
    return percentile_supported(percentile, arm.latencies_per_trial)


def _judged(arm: Arm, local: Arm, figure: str) -> JudgedRatio | None:
    ratio = ratio_of_rounds(arm.by_process(figure), local.by_process(figure))
    return JudgedRatio(ratio, verdict(ratio)) if ratio else None


def _compared(first: Mapping[int, float], second: Mapping[int, float]) -> JudgedRatio | None:
    if not all([*first.values(), *second.values()]):
        return None
    here, there = ({process: {0: value} for process, value in side.items()} for side in (first, second))
    ratio = ratio_of_rounds(here, there)
    return JudgedRatio(ratio, verdict(ratio)) if ratio else None


def _joules(offload: Offload, arm: Arm) -> dict[int, float]:
    """Joules an inference, by process: the meter's where there is one, else from stated powers."""
    if offload.meter:
        table: dict[int, list[float]] = {}
        for trial in arm.trials:
            if trial.joules is not None:
                table.setdefault(trial.process, []).append(trial.joules / trial.latencies.length)
        return {process: float(np.median(values)) for process, values in table.items()}
    if offload.power is None or not arm.trials:
        return {}
    power = offload.power
    # several in flight share the device: what counts is its time an image
    totals = arm.process_medians("p50" if arm.in_flight == 1 else "an image")
    if arm is offload.local:
        return {process: local_joules(power, total) for process, total in totals.items()}
    busy = {name: arm.process_medians(name) for name in ("encode", "decode", "send", "receive")}
    link = offload.link(arm.link)
    up = link.up_bps if link else offload.path.up_bps if offload.path else None
    down = link.down_bps if link else None
    network = (arm.bytes_up * 8 / up if up else 0.0) + (arm.bytes_down * 8 / down if down else 0.0)
    return {
        process: remote_joules(
            power,
            total,
            busy["encode"][process] + busy["decode"][process],
            max(network, busy["send"][process] + busy["receive"][process]),
        )
        for process, total in totals.items()
    }


def _labels(offload: Offload, payload: str) -> npt.NDArray[np.int64] | None:
    found = next((each for each in offload.accuracies if each.payload == payload), None)
    return None if found is None else unpack(found.predictions).astype(np.int64)


def _truth(offload: Offload) -> npt.NDArray[np.int64] | None:
    labels = unpack(offload.images.labels).astype(np.int64)
    return labels if len(labels) else None


def _correct(offload: Offload, payload: str) -> tuple[int, int] | None:
    labels, truth = _labels(offload, payload), _truth(offload)
    return None if labels is None or truth is None else (int((labels == truth).sum()), len(truth))


def _same_images(offload: Offload, payload: str) -> tuple[PairedDifference | None, Agreement | None]:
    there, here, truth = _labels(offload, payload), _labels(offload, ""), _truth(offload)
    if there is None or here is None:
        return None, None
    agreement = agreement_of(there, here, unpack(offload.images.indices).astype(np.int64))
    return (None if truth is None else paired_difference(there == truth, here == truth)), agreement
