"""Rows of ``offload``."""

from typing import Literal

import msgspec

from edge_bench.bench.offload.records.offload import OutputComparison

__all__ = ["HereRow", "PredictedRow", "ThereRow"]

Number = float | None


class HereRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Local inference."""

    configuration: str
    machine: str
    emulated: bool
    answer: str  # where to run it, as `RecommendationKind` has it
    best: bool  # whether running it locally is recommended, or not slower than the best, over some link
    trusted: bool | None
    not_trusted_because: str
    unstable: bool  # whether times have a standard deviation of 10 % or more of their mean
    p50_s: Number
    p50_low_s: Number
    p50_high_s: Number
    p95_s: Number
    images_a_second: Number
    joules: Number
    slack_s: Number
    slack_mean_s: Number
    slack_mean_rests_on_outlier: bool


class ThereRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Remote inference: a combination of payload, link and images in flight."""

    configuration: str
    payload: str
    link: str
    in_flight: int
    p50_ratio: Number
    p50_low: Number
    p50_high: Number
    p50_verdict: str | None
    p95_ratio: Number
    p95_low: Number
    p95_high: Number
    p95_verdict: str | None
    throughput_ratio: Number
    throughput_low: Number
    throughput_high: Number
    throughput_verdict: str | None
    energy_ratio: Number
    energy_low: Number
    energy_high: Number
    energy_verdict: str | None
    verdict_reliable: bool | None  # whether verdicts on time use reliable times only; null: there is none
    verdict_reason: str  # why there is no verdict on time, or no interval
    unstable: bool
    best: bool  # whether it is recommended over its link, or not slower than the best
    p50_s: Number
    p50_low_s: Number
    p50_high_s: Number
    predicted_s: Number
    prediction_error: Number
    break_even_rtt_s: Number
    break_even_up_bps: Number
    bytes_up: float
    bytes_down: float
    accuracy_difference: Number
    joules: Number
    energy: str
    remark: str
    parts_s: dict[str, float] | None
    outputs: OutputComparison | None = None


class PredictedRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The predicted time on the device of --edge-device. It is not a measurement."""

    configuration: Literal["PREDICTED"]
    device: str
    board: str
    variant: str
    threads: int
    method: str  # what the prediction is based on
    measured_with: str  # runtime and version of the latencies
    reliable: bool  # false if the device was calibrated while it was not reliable
    p50_s: float
    p50_low_s: float  # of the 90 % interval
    p50_high_s: float
