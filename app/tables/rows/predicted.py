"""Rows of ``predict``."""

import msgspec

__all__ = ["PredictRow"]

Number = float | None


class PredictRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The predicted latency of a model on a device, or why there is none. It is not a measurement."""

    label: str  # always PREDICTED
    model: str
    graph: str  # the predicted graph, if the file has several that can be called
    other_graphs: list[str]  # their names
    device: str
    board: str
    threads: int
    runtime: str
    kernels: str  # the kernel library
    precision: str
    scheme: str  # of quantized weights: per-channel or per-tensor
    refusal: str  # why nothing is predicted; empty if it is
    remedy: str
    median_ms: Number
    low_80_ms: Number
    high_80_ms: Number
    low_90_ms: Number
    high_90_ms: Number
    p90_ms: Number
    p90_low_90_ms: Number
    p90_high_90_ms: Number
    limited_by: str  # compute, memory or overhead
    shares: dict[str, float]  # of the time, by class of operators
    memory_share: Number
    overhead_share: Number
    method: str  # published, sibling, zero-shot or own calibration
    clock_ghz: Number  # 0: unknown
    fitted_clock_ghz: Number  # of the latencies; if it is another clock, the interval is wider
    measured_with: str  # runtime and version of the latencies
    rows: int  # latencies of the fit
    families: list[str]  # of their models
    sources: list[str]
    outside: Number  # ratio to the nearest model size of the fit: 1 if inside, 2 if twice or half as large
    unseen: dict[str, float]  # classes of operators with more of the time than in any model of the fit
    unmodelled: dict[str, int]
    unmodelled_share: float  # of the bytes, or of the multiply-accumulates if that is larger
    memory_bytes: int  # the model needs at least this
    device_memory_bytes: list[int]  # of the versions of the board
    calibrated: str
    reliable: bool
    leave_one_out_error: Number
