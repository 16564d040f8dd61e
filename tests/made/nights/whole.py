"""A night with every kind of field."""

from edge_bench.bench.records.nights.night import (
    Confirmation,
    ConfirmationKind,
    Delivery,
    Finding,
    Level,
    Measurement,
    MeasurementState,
    Night,
    NightState,
    Rule,
    SilentEngine,
    TimeRatio,
)
from edge_bench.bench.records.run import Configuration

__all__ = ["FINDING", "NIGHT"]

_CONFIGURATION = Configuration(variant="int8", runtime="litert", threads=1, batch_size=1)
FINDING = Finding(
    model="digits", engine="pi5", machine="pi5 (arm64)", configuration=_CONFIGURATION, verdict="slower",
    rule=Rule.HISTORY, since_night=5, since="2026-03-05T02:31:00+00:00", ratio=TimeRatio(1.05, 1.04, 1.06),
    nights_before=9, nights_after=2, differences=["kernel 6.1 → 6.6"], reason="x", reported=True, run_id="a",
    last_good_run="b",
    confirmation=Confirmation(
        kind=ConfirmationKind.REPEATED, confirmed=True, ratio=TimeRatio(1.05, 1.03, 1.07), run_id="c", run_file="d",
        reason="e",
    ),
)  # fmt: skip
NIGHT = Night(
    number=6, began="2026-03-06T02:30:00+00:00", ended="2026-03-06T02:50:00+00:00", state=NightState.DONE,
    tool_version="0.1.0", judged=True, findings=[FINDING], notes=["note"], warnings=["warning"],
    measurements=[
        Measurement(
            model="digits", engine="pi5", state=MeasurementState.DELIVERED, reason="r", remedy="r", image="i",
            run_id="a", run_file="run-x.json", machine="m",
            levels=[Level(configuration=_CONFIGURATION, seconds=0.1, trials=30, correct=9, seen=10)],
        ),
    ],
    silent=[SilentEngine(engine="pi4", nights=2, since_night=5, since="2026-03-05T02:30:00+00:00", reported=True)],
    deliveries=[Delivery(channel="webhook", sent=False, reason="r", attempts=3)],
)  # fmt: skip
