"""Assessment of an Offload: latency, accuracy and energy of remote against local inference, and break-even points."""

from collections.abc import Iterable, Mapping

import msgspec
import numpy as np
import numpy.typing as npt

from edge_bench.bench.analysis.labels.agreement import Agreement
from edge_bench.bench.analysis.times.compared_times import ONE_PROCESS
from edge_bench.bench.analysis.times.reliability import Reason
from edge_bench.bench.analysis.times.timings import ratio_of_rounds
from edge_bench.bench.offload.analysis.energy import joules_by_process
from edge_bench.bench.offload.analysis.labels import compare_labels, correct_count
from edge_bench.bench.offload.analysis.latency_model import (
    Breakdown,
    break_even_bps,
    break_even_rtt,
    parts_of,
    predicted,
    predicted_directly,
    slack_of,
)
from edge_bench.bench.offload.analysis.reliability import is_unstable, reasons_of
from edge_bench.bench.offload.network.link_profiles import DIRECT, Link
from edge_bench.bench.offload.records.offload import PARTS, Arm, Offload
from edge_bench.bench.stats.comparisons.shifts import rests_on_outlier
from edge_bench.bench.stats.intervals import Interval, PairedDifference, mean_interval
from edge_bench.bench.stats.latency import latencies_needed
from edge_bench.bench.stats.ratios import Ratio, Verdict, paired_ratio, verdict, verdicts

__all__ = ["Assessment", "Estimate", "JudgedRatio", "Row", "assess", "decision_map"]


class Estimate(msgspec.Struct, frozen=True):
    """A value and its 95 % interval over processes. The interval is None if there is only one process."""

    value: float
    interval: Interval | None


class JudgedRatio(msgspec.Struct, frozen=True):
    """Ratio of remote to local time or energy, and the verdict on remote inference.

    The verdict is corrected for the number of rows, as those of a comparison (`verdicts`).
    """

    ratio: Ratio
    verdict: Verdict


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One remote arm compared with local inference. Unknown values are None; ``remark`` gives the reason."""

    name: str
    payload: str
    link: str
    in_flight: int
    measured: Estimate | None = None  # median latency from an image's pixels to its label, seconds
    p50: JudgedRatio | None = None
    p95: JudgedRatio | None = None
    throughput: JudgedRatio | None = None  # ratio of the times per image of whole trials
    parts: dict[str, float] = {}  # median seconds of each part of the latency
    bytes_up: float = 0.0  # per image
    bytes_down: float = 0.0  # per image
    predicted: float | None = None  # latency by the latency model, seconds
    error: float | None = None  # of the prediction, as a fraction of the measured latency
    break_even_rtt: Estimate | None = None  # round trip with equal latencies, seconds
    break_even_bps: float | None = None  # upload bits per second; None: no rate is enough, or no link
    accuracy_difference: PairedDifference | None = None  # remote minus local accuracy
    agreement: Agreement | None = None  # of remote and local labels
    joules: Estimate | None = None  # per inference, mean
    cheaper: JudgedRatio | None = None  # ratio of the energies; the verdict "faster" means less energy
    unstable: bool = False  # whether its times have a standard deviation of 10 % or more of their mean
    verdict_reliable: bool | None = None  # whether verdicts on time rest on reliable times; None: there is none
    no_interval: str = ""  # why there is no verdict on time, or no interval
    remark: str = ""


class Assessment(msgspec.Struct, frozen=True, kw_only=True):
    """All answers of an offload."""

    local: Estimate | None  # median latency, seconds
    local_p95: float | None  # seconds
    local_images_per_second: float | None
    local_accuracy: tuple[int, int] | None  # correct labels, images
    local_joules: Estimate | None  # per inference, mean
    energy: str  # source of the energies: meter, stated or none
    slack: Estimate | None  # seconds per image that sending may cost: median here minus the server's median compute
    mean_slack: Estimate | None  # the same of means, as in the paper; no interval if one of them depends on an outlier
    mean_slack_rests_on_outlier: bool  # whether single trials determine one of the two means
    rows: list[Row]
    local_unstable: bool = False  # as `Row.unstable`
    reasons: list[Reason] = []  # why times are not reliable; none if they are

    @property
    def trusted(self) -> bool:
        """Whether times are reliable."""
        return not self.reasons


def assess(offload: Offload) -> Assessment:
    """Return the assessment of an Offload. Emulated times get no verdicts."""
    local = offload.local
    payloads = list(dict.fromkeys(arm.payload for arm in offload.remotes))
    parts = {payload: _parts(offload, payload) for payload in payloads}
    # the server computes the same for all payloads
    payload = next((payload for payload, table in parts.items() if table), None)
    direct = None if payload is None or offload.emulated else _direct_arm(offload, payload)
    mean_slack, unsafe = _mean_slack(local, direct)
    p95 = _supports_p95(local) and local.process_medians("p95")
    seconds = local.process_medians("an image")
    reasons, local_unstable = reasons_of(offload), is_unstable(local)
    doubtful = local_unstable or any(not reason.spread for reason in reasons)
    return Assessment(
        local=_geometric_mean(local.process_medians("p50").values()),
        local_p95=float(np.median(list(p95.values()))) if p95 else None,
        local_images_per_second=1 / float(np.median(list(seconds.values()))) if seconds else None,
        local_accuracy=correct_count(offload, ""),
        local_joules=_mean_energy(joules_by_process(offload, local).values()),
        energy="meter" if offload.meter else "stated" if offload.power else "none",
        slack=_mean(map(slack_of, parts[direct.payload].values())) if direct else None,
        mean_slack=mean_slack,
        mean_slack_rests_on_outlier=unsafe,
        rows=_judged_together(
            [
                _with_reliability(_row(offload, arm, parts[arm.payload]), offload, arm, doubtful=doubtful)
                for arm in offload.remotes
            ]
        ),
        local_unstable=local_unstable,
        reasons=reasons,
    )


def _judged_together(rows: list[Row]) -> list[Row]:
    """Return the rows with verdicts that are read together: of each kind, any is wrong in at most 5 % of Offloads."""
    for name in ("p50", "p95", "throughput", "cheaper"):
        ratios = [judged.ratio if (judged := getattr(row, name)) else None for row in rows]
        rows = [
            row if ratio is None or found is None else msgspec.structs.replace(row, **{name: JudgedRatio(ratio, found)})
            for row, ratio, found in zip(rows, ratios, verdicts(ratios), strict=True)
        ]
    return rows


def _with_reliability(row: Row, offload: Offload, arm: Arm, *, doubtful: bool) -> Row:
    """Return the row with how far its verdicts can be relied on, or why there is none.

    doubtful: whether no time is reliable, or none measured here
    """
    row = msgspec.structs.replace(row, unstable=is_unstable(arm))
    judged = row.p50 or row.throughput
    if judged is None:
        here = offload.local.failure
        missing = f"nothing was measured locally: {here.message}" if here else "no round in which both were measured"
        return msgspec.structs.replace(row, no_interval=row.remark or missing)
    return msgspec.structs.replace(
        row,
        verdict_reliable=not (doubtful or row.unstable),
        no_interval="" if judged.ratio.interval else ONE_PROCESS,
    )


def _parts(offload: Offload, payload: str) -> dict[int, Breakdown]:
    direct = _direct_arm(offload, payload)
    return parts_of(offload, direct) if direct else {}


def _direct_arm(offload: Offload, payload: str) -> Arm | None:
    wanted = (payload, DIRECT, 1)
    return next((arm for arm in offload.remotes if (arm.payload, arm.link, arm.in_flight) == wanted), None)


def _mean_slack(local: Arm, direct: Arm | None) -> tuple[Estimate | None, bool]:
    """Return the mean latency here minus the server's mean compute time, and whether either depends on an outlier."""
    if direct is None:
        return None, False
    here, compute = local.process_means("latency"), direct.process_means("compute")
    estimate = _mean(here[process] - compute[process] for process in here.keys() & compute.keys())
    unsafe = rests_on_outlier(local.trial_means("latency")) or rests_on_outlier(direct.trial_means("compute"))
    return (msgspec.structs.replace(estimate, interval=None) if estimate and unsafe else estimate), unsafe


def _row(offload: Offload, arm: Arm, parts: Mapping[int, Breakdown]) -> Row:
    row = Row(name=arm.name, payload=arm.payload, link=arm.link, in_flight=arm.in_flight)
    if not arm.trials:
        return msgspec.structs.replace(row, remark=arm.failure.message if arm.failure else "not measured")
    difference, agreement = compare_labels(offload, arm.payload)
    row = msgspec.structs.replace(
        row,
        measured=_geometric_mean(arm.process_medians("p50").values()),
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
        throughput=_ratio_to_local(arm, local, "an image"),
        joules=_mean_energy(joules_by_process(offload, arm).values()),
        cheaper=_energy_ratio(joules_by_process(offload, arm), joules_by_process(offload, local)),
    )
    if arm.in_flight > 1:  # with several requests in flight, the latency of one image includes waiting for others
        return row
    p95 = _ratio_to_local(arm, local, "p95") if _supports_p95(arm) and _supports_p95(local) else None
    row = msgspec.structs.replace(row, p50=_ratio_to_local(arm, local, "p50"), p95=p95)
    return _with_prediction(row, offload, arm, parts)


def _with_prediction(row: Row, offload: Offload, arm: Arm, parts: Mapping[int, Breakdown]) -> Row:
    """Return the row with the predicted latency and the break-even points."""
    link = offload.link(arm.link)
    if not parts or row.measured is None:
        return row
    predictions = list[float]()
    if link is not None:
        predictions = [predicted(each, link) for each in parts.values()]
    elif offload.path is not None:
        predictions = [predicted_directly(each, offload.path) for each in parts.values()]
    prediction = float(np.mean(predictions)) if predictions else None
    rates = [break_even_bps(each, link) for each in parts.values()] if link else []
    return msgspec.structs.replace(
        row,
        predicted=prediction,
        error=None if prediction is None else prediction / row.measured.value - 1,
        break_even_rtt=_mean([break_even_rtt(each, link) for each in parts.values()]),
        break_even_bps=float(np.median([rate for rate in rates if rate])) if rates and all(rates) else None,
    )


def decision_map(
    offload: Offload, payload: str, rtts_s: npt.NDArray[np.float64], rates_bps: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64] | None:
    """Return the predicted winner at each round trip and bandwidth (the same in both directions), shape [rates, rtts].

    1: remote is faster, -1: local is faster, 0: undecided or the same, by the interval of the ratio over processes.
    Return None for an emulated offload or with fewer than two processes.
    """
    parts = list(_parts(offload, payload).values())
    if len(parts) < 2 or offload.emulated:
        return None
    local = [np.array([each.local_s]) for each in parts]
    winners = np.zeros((len(rates_bps), len(rtts_s)))
    for row, rate in enumerate(rates_bps):
        for column, rtt in enumerate(rtts_s):
            link = Link(name="", rtt_s=float(rtt), up_bps=float(rate), down_bps=float(rate))
            remote = [np.array([predicted(each, link)]) for each in parts]
            winners[row, column] = {Verdict.FASTER: 1, Verdict.SLOWER: -1}.get(verdict(paired_ratio(remote, local)), 0)
    return winners


def _mean(values: Iterable[float]) -> Estimate | None:
    """Return the mean of differences, which may be negative, and its interval; None without values."""
    array = list(values)
    return Estimate(*mean_interval(array)) if array else None


def _mean_energy(values: Iterable[float]) -> Estimate | None:
    """Return the mean of energies and its interval, from 0 upwards; None without values or if one is zero."""
    array = list(values)
    if not array or min(array) <= 0:
        return None
    centre, interval = mean_interval(array)
    return Estimate(centre, interval and Interval(max(0.0, interval.low), interval.high))


def _geometric_mean(values: Iterable[float]) -> Estimate | None:
    """Return the mean of times and its interval, on a log scale so that the interval stays positive."""
    array = np.array(list(values))
    if not len(array) or array.min() <= 0:
        return None
    centre, interval = mean_interval(np.log(array))
    return Estimate(float(np.exp(centre)), interval and Interval(*np.exp([interval.low, interval.high]).tolist()))


def _supports_p95(arm: Arm) -> bool:
    return arm.latencies_per_trial >= latencies_needed(95)


def _ratio_to_local(arm: Arm, local: Arm, metric: str) -> JudgedRatio | None:
    ratio = ratio_of_rounds(arm.by_process(metric), local.by_process(metric))
    return JudgedRatio(ratio, verdict(ratio)) if ratio else None


def _energy_ratio(remote: Mapping[int, float], local: Mapping[int, float]) -> JudgedRatio | None:
    """Return the ratio of two tables ``{process: joules}``; None if any energy is zero."""
    if not all([*remote.values(), *local.values()]):
        return None
    first, second = ({process: {0: joules} for process, joules in table.items()} for table in (remote, local))
    ratio = ratio_of_rounds(first, second)
    return JudgedRatio(ratio, verdict(ratio)) if ratio else None
