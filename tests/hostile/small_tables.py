"""Tables of one machine or profile whose texts are hostile names."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from edge_bench.app.render.table import Table
from edge_bench.app.tables.doctor import doctor_table
from edge_bench.app.tables.prediction.table import prediction_tables
from edge_bench.app.tables.profiles.comparison import explained_tables
from edge_bench.app.tables.profiles.difference import difference_table
from edge_bench.app.tables.profiles.table import operator_table, profile_table, profile_tables
from edge_bench.app.tables.sustained.table import sustained_tables
from edge_bench.app.tables.tune import tune_table
from edge_bench.bench.analysis.profiles.difference import profile_difference
from edge_bench.bench.analysis.sustained.load import loads_of
from edge_bench.bench.records.profile import Profile
from edge_bench.bench.records.run import Configuration, Failure, Run
from edge_bench.bench.system.machine import Finding
from edge_bench.bench.system.tuning.settings import Change, Group, Plan
from tests.factories import machine
from tests.made.prediction.predictions import predicted, refused
from tests.made.profiles import operator_time, profile, profiled_run
from tests.made.runs.sustained import jump, sustained_result, sustained_run
from tests.struct_paths import with_every_text

__all__ = ["SMALL_TABLES"]


def _profile(name: str) -> Profile:
    made = profile(operator_time(0, "X", 2), operator_time(1, "Y", 0, macs=None), invocation=3, warnings=["w"])
    return with_every_text(made, name)  # type: ignore[no-any-return]


def _failed(name: str) -> tuple[Configuration, Failure]:
    configuration = Configuration(variant=name, runtime=name, threads=1, batch_size=1)
    return configuration, Failure(kind=name, message=name, remedy=name)


def _sustained(name: str) -> Run:
    return sustained_run(sustained_result(name, jump(0.5, 2.0)), sustained_result(f"{name}2", seconds=600))


#: Functions that make tables of one machine or of profiles, as functions of a name and a folder.
SMALL_TABLES: dict[Callable[..., Any], Callable[[str, Path], Sequence[Table]]] = {
    doctor_table: lambda name, _: [
        doctor_table(with_every_text(machine(), name), [name], [Finding(what=name, remedy=name, spoils=True)])
    ],
    prediction_tables: lambda name, _: prediction_tables([predicted(name), refused(name)]),
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
