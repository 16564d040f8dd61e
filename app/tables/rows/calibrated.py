"""Rows of ``calibrate``."""

import msgspec

__all__ = ["CalibrationRow"]


class CalibrationRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The parameters of one precision and number of threads."""

    device: str
    file: str  # the device file
    reliable: bool  # whether the machine was reliable during the calibration
    leave_one_out_error: float | None  # of all rows together, as a share
    precision: str
    threads: int
    error: float  # mean absolute relative error of networks that are left out of the fit in turn
    errors: dict[str, float]  # predicted ÷ measured − 1 of each network, if it is left out of the fit
    interval_factor: float  # a 90 % interval is from median ÷ factor to median × factor, at least
    clock_ghz: float
    # GMAC/s of first convolutions, k×k and 1×1 convolutions, depthwise ones and dense layers, GB/s, and µs per operator
    parameters: dict[str, float]
    deviations: dict[str, float]  # standard deviations of their natural logarithms
