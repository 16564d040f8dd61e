"""Types of the rows that each command prints with ``--format json``, by the name of the schema."""

from typing import Any

from edge_bench.app.tables.rows.calibrated import CalibrationRow
from edge_bench.app.tables.rows.compared import CompareRow, GateRow
from edge_bench.app.tables.rows.inspected import GraphRow, ModelRow
from edge_bench.app.tables.rows.machines import DeviceRow, DoctorRow, EngineRow
from edge_bench.app.tables.rows.measured import HistoryRow, RepeatsRow, RunRow
from edge_bench.app.tables.rows.nights import NightRow
from edge_bench.app.tables.rows.offloaded import HereRow, PredictedRow, ThereRow
from edge_bench.app.tables.rows.predicted import PredictRow
from edge_bench.app.tables.rows.profiled import ProfileRow

__all__ = ["ROWS"]

#: Name of the schema → the types of its rows; with ``jsonl`` each line is one row.
ROWS: dict[str, tuple[type[Any], ...]] = {
    "run": (RunRow,),
    "run-repeats": (RepeatsRow,),
    "compare": (CompareRow,),
    "compare-baseline": (GateRow,),
    "history": (HistoryRow,),
    "offload": (HereRow, ThereRow, PredictedRow),
    "profile": (ProfileRow,),
    "inspect": (ModelRow, GraphRow),
    "predict": (PredictRow,),
    "calibrate": (CalibrationRow,),
    "doctor": (DoctorRow,),
    "fleet-run": (DeviceRow,),
    "fleet-list": (EngineRow,),
    "nightly": (NightRow,),
}
