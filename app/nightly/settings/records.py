"""The tables of edge-bench.toml. Unknown keys are refused."""

from typing import Annotated

import msgspec

from edge_bench.app.fleet.docker.inventory import EngineSetting

__all__ = ["FleetTable", "GateTable", "ModelTable", "NightlyFile", "NotifyTable", "RunTable"]

_Count = Annotated[int, msgspec.Meta(ge=1, le=10**9)]
_Seconds = Annotated[float, msgspec.Meta(ge=1, le=86_400)]
_Names = str | list[str]
_Counts = int | str | list[int]


class ModelTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A model: a bundle for all engines, or model files that are measured on this machine only."""

    name: str = ""  # in notifications; default: the name of the bundle's folder or of the first file
    bundle: str = ""
    files: list[str] = []
    data: str = ""  # of ``files``, as --data of `run`
    labels: str = ""
    task: str = ""
    classes: str = ""
    options: list[str] = []  # further options of `run` for ``files``, such as ["--preprocess", "unit"]


class FleetTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The engines."""

    this_machine: bool | None = None  # without Docker; the default is yes if no engine is named
    file: str = ""  # a fleet file, as --fleet of `fleet run`
    engine: list[EngineSetting] = []  # the same tables as in a fleet file
    image: str = "edge-bench"
    local_engine: str = ""
    api_timeout: _Seconds = 30
    reconnect_timeout: Annotated[float, msgspec.Meta(ge=0, le=86_400)] = 600


class RunTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of `run`, the same every night and on every engine."""

    variant: _Names | None = None
    runtime: _Names | None = None
    threads: _Counts | None = None
    batch_size: _Counts | None = None
    trials: _Count = 30
    processes: _Count = 5
    limit: _Count | None = None
    budget: str | None = None
    scenario: str | None = None
    seed: Annotated[int, msgspec.Meta(ge=0, lt=2**32)] = 42
    timeout: _Seconds = 600
    memory_limit: str | None = None
    runs_per_night: Annotated[int, msgspec.Meta(ge=1, le=20)] = 3  # their mean is compared with other nights
    cpus: str | None = None  # on this machine only
    power: str | None = None  # on this machine only


class GateTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Changes that are worth a notification."""

    slower: str = "2%"  # by more than this; with a percent sign
    less_accurate: Annotated[float, msgspec.Meta(ge=0, le=100)] = 0.0  # by more percentage points than this
    confirm: bool = True  # whether changes are measured again in the same night


class NotifyTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Channels of notifications; all that are set are used."""

    command: list[str] = []  # gets the notification as JSON on stdin
    webhook: str = ""  # gets it as a POST request
    webhook_token_file: str = ""  # sent as Authorization: Bearer
    mail_to: list[str] = []
    mail_from: str = ""
    sendmail: str = "/usr/sbin/sendmail"
    timeout: Annotated[float, msgspec.Meta(ge=1, le=600)] = 20
    silent_after: _Count = 1  # nights without a Run after which an engine is reported


class NightlyFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file edge-bench.toml. Relative paths start at its folder."""

    results: str = "results"
    keep: str = "365d"  # Runs that are older are archived; "forever"
    keep_archives: str = "forever"  # archives of months that are older are removed
    model: list[ModelTable] = []
    fleet: FleetTable = FleetTable()
    run: RunTable = RunTable()
    gate: GateTable = GateTable()
    notify: NotifyTable = NotifyTable()
