"""Rows of ``nightly``."""

from edge_bench.bench.records.nights.night import Delivery, Finding, Measurement

__all__ = ["NightRow"]


class NightRow(Measurement, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A model on an engine in a night; see `Measurement`."""

    night: int
    began: str
    ended: str
    findings: list[Finding]  # of this model on this engine
    deliveries: list[Delivery]  # of the night
    notes: list[str]
    warnings: list[str]
