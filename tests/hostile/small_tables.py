"""Tables of one machine or profile whose texts are hostile names."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from edge_bench.app.render.table import Table
from edge_bench.app.tables.boards import boards_table
from edge_bench.app.tables.calibration import calibration_table
from edge_bench.app.tables.doctor import doctor_table
from edge_bench.app.tables.nights import night_table, plan_table
from edge_bench.app.tables.planned import planned_table
from edge_bench.app.tables.prediction.table import prediction_tables
from edge_bench.app.tables.profiles.comparison import explained_tables
from edge_bench.app.tables.profiles.difference import difference_table
from edge_bench.app.tables.profiles.table import operator_table, profile_table, profile_tables
from edge_bench.app.tables.sustained.table import sustained_tables
from edge_bench.app.tables.tune import tune_table
from edge_bench.bench.analysis.profiles.difference import profile_difference
from edge_bench.bench.analysis.sustained.load import loads_of
from edge_bench.bench.device_calibration.device import Calibrated
from edge_bench.bench.device_calibration.fitting import FittedSet
from edge_bench.bench.measure.plan import Planned
from edge_bench.bench.prediction.answer import Subject
from edge_bench.bench.prediction.device_file import Device, ParameterSet
from edge_bench.bench.prediction.fit import weak_prior
from edge_bench.bench.prediction.model_operators import ModelOperators
from edge_bench.bench.prediction.work import OperatorWork
from edge_bench.bench.records.manifest import TensorSpec, Variant
from edge_bench.bench.records.nights.night import Night
from edge_bench.bench.records.profile import Profile
from edge_bench.bench.records.run import Configuration, Failure, Run
from edge_bench.bench.system.machine import Finding
from edge_bench.bench.system.tuning.settings import Change, Group, Plan
from tests.factories import machine
from tests.made.nights.whole import NIGHT
from tests.made.prediction.predictions import predicted, refused
from tests.made.profiles import operator_time, profile, profiled_run
from tests.made.runs.sustained import jump, sustained_result, sustained_run
from tests.struct_paths import with_every_text

__all__ = ["SMALL_TABLES", "hostile_subject"]


def _profile(name: str) -> Profile:
    made = profile(operator_time(0, "X", 2), operator_time(1, "Y", 0, macs=None), invocation=3, warnings=["w"])
    return with_every_text(made, name)  # type: ignore[no-any-return]


def _failed(name: str) -> tuple[Configuration, Failure]:
    configuration = Configuration(variant=name, runtime=name, threads=1, batch_size=1)
    return configuration, Failure(kind=name, message=name, remedy=name)


def _night(name: str) -> Night:
    """Return a night in which each text is the name, with changes and a notification that was not sent."""
    measurements = [msgspec.structs.replace(each, model=name, engine=name) for each in NIGHT.measurements]
    findings = [msgspec.structs.replace(each, model=name, engine=name) for each in NIGHT.findings]
    named = msgspec.structs.replace(NIGHT, measurements=measurements, findings=findings)
    return with_every_text(named, name, but=("state", "rule", "kind"))  # type: ignore[no-any-return]


def _sustained(name: str) -> Run:
    return sustained_run(sustained_result(name, jump(0.5, 2.0)), sustained_result(f"{name}2", seconds=600))


def _calibrated(name: str) -> tuple[Calibrated, Run]:
    parameters: ParameterSet = weak_prior("xnnpack", "float32", "", 1, 1.0)
    device = Device(
        format=name, name=name, board=name, core=name, order="unknown", cores=1, clock_ghz=1.0, clock_evidence=name,
        macs_per_cycle={}, isa=[name], memory_mb=[1], personal=True, reliable=False, leave_one_out_error=0.1,
        calibrated=name, parameters=[parameters],
    )  # fmt: skip
    run = msgspec.structs.replace(_sustained("x"), findings=[Finding(what=name, remedy=name, spoils=True)])
    return Calibrated(device, [FittedSet(parameters, {name: 0.1})]), run


def hostile_subject(name: str) -> Subject:
    operators = [OperatorWork("convolution", 1e6, 1e3, 1e4)]
    return Subject(name, ModelOperators(operators, "float32", "", {name: 1}, 1.0, 1e6), 1 << 30)


def _planned(name: str) -> Planned:
    tensor = TensorSpec(shape=[1], dtype=name)
    variant = Variant(name=name, file=name, precision=name, bytes=1, sha256=name, input=tensor, output=tensor)
    configuration = Configuration(variant=name, runtime=name, threads=1, batch_size=1, delegate=name)
    failure = Failure(kind=name, message=name, remedy=name)
    return Planned(configuration=configuration, variant=variant, file=None, runtime_version=name, failure=failure)


#: Functions that make tables of one machine or of profiles, as functions of a name and a folder.
SMALL_TABLES: dict[Callable[..., Any], Callable[[str, Path], Sequence[Table]]] = {
    boards_table: lambda name, _: [table for table in [boards_table([hostile_subject(name)], [], {})] if table],
    calibration_table: lambda name, _: [calibration_table(*_calibrated(name), Path(name))],
    doctor_table: lambda name, _: [
        doctor_table(with_every_text(machine(), name), [name], [Finding(what=name, remedy=name, spoils=True)])
    ],
    prediction_tables: lambda name, _: prediction_tables([predicted(name), refused(name)]),
    night_table: lambda name, _: [night_table(_night(name))],
    plan_table: lambda name, _: [plan_table([(name, name, name, [name])])],
    planned_table: lambda name, _: [planned_table([_planned(name)])],
    tune_table: lambda name, _: [
        tune_table(Plan(name, [Change(Group.SWAP, name, name.encode(errors="surrogatepass"), name, name)], [name]))
    ],
    profile_table: lambda name, _: [profile_table(_profile(name), wide=wide) for wide in (False, True)],
    profile_tables: lambda name, _: profile_tables(
        [_profile(name)], [_failed(name)], [Finding(what=name, remedy=name, spoils=True)]
    ),
    difference_table: lambda name, _: [
        difference_table(profile_difference(_profile(name), _profile(name)), [name] * 2)
    ],
    explained_tables: lambda name, _: explained_tables(
        [profiled_run(_profile(name), msgspec.structs.replace(_profile(name), threads=2))], None, {}
    ),
    sustained_tables: lambda name, _: sustained_tables(load := _sustained(name), loads_of(load)),
    operator_table: lambda name, _: [operator_table([_profile(name)])],
}
