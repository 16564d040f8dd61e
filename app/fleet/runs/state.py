"""The state of a fleet command, written to disk after each step so that a later command can resume it.

The file is ``results/fleet-…/state.json``, beside the journals of interrupted runs. The Runs are in ``results``.
"""

import threading
import uuid
from collections.abc import Sequence
from pathlib import Path

import msgspec

from edge_bench.app.fleet.docker.inventory import EngineSetting
from edge_bench.bench.errors import ResultsError
from edge_bench.bench.io.disk_space import unwritable
from edge_bench.bench.io.files import write_atomically
from edge_bench.bench.io.record_codec import SCHEMA_VERSION, decode_record, encode_record
from edge_bench.bench.progress import duration_text
from edge_bench.bench.records.run_files import utc_now
from edge_bench.bench.wording import counted

__all__ = ["DeviceState", "FleetRecord", "FleetState"]

_STATE_FILE = "state.json"
#: Clocks of machines with a network differ by far less.
_CLOCK_TOLERANCE_SECONDS = 300


class DeviceState(msgspec.Struct, frozen=True, kw_only=True):
    """One engine's row."""

    engine: EngineSetting
    state: str = "waiting"  # waiting · working · done · failed · lost · interrupted
    reason: str = ""
    remedy: str = ""
    machine: str = ""  # architecture, cores and system, as the engine describes them
    platform: str = ""
    memory_bytes: int = 0
    engine_version: str = ""
    clock_offset_seconds: int = 0  # of its clock to this machine's; negative: behind
    image_bytes: int = 0  # sent for the image; 0 if the engine had it
    bundle_bytes: int = 0  # sent for the bundle and for journals
    fetched_bytes: int = 0
    seconds: dict[str, float] = {}  # by step: connect, image, bundle, run, fetch, clean up
    run_file: str = ""  # in the results folder
    run_id: str = ""
    left_behind: bool = False  # whether containers or volumes are still on the engine

    @property
    def done(self) -> bool:
        """Whether the work on the engine is finished."""
        return self.state == "done"

    @property
    def clock_warning(self) -> str:
        """A sentence if its clock is wrong, empty otherwise: the Run has its time, and `history` sorts by it.

        A Raspberry Pi has no clock that runs without power, and sets it from the network.
        """
        seconds = abs(self.clock_offset_seconds)
        if seconds < _CLOCK_TOLERANCE_SECONDS:
            return ""
        days = seconds // 86_400
        distance = counted(days, "day") if days > 1 else duration_text(seconds)
        way = "behind" if self.clock_offset_seconds < 0 else "ahead"
        return (
            f"{self.engine.name}: its clock is {distance} {way}, and "
            "its Run has this wrong time; set the clock, for example with `sudo timedatectl set-ntp true`"
        )


class FleetRecord(msgspec.Struct, frozen=True, kw_only=True):
    """The command's arguments, and the progress of each engine."""

    schema_version: str = SCHEMA_VERSION
    fleet: str
    began: str
    bundle_sha256: str
    options: list[str]  # of `run`, the same on every engine
    image: str
    devices: list[DeviceState]


class FleetState:
    """The record on disk. Every change is written before the next step begins."""

    def __init__(self, folder: Path, record: FleetRecord) -> None:
        self.folder, self.record = folder, record
        self._lock = threading.Lock()

    @classmethod
    def new(
        cls, results: Path, bundle_sha256: str, options: Sequence[str], image: str, engines: Sequence[EngineSetting]
    ) -> "FleetState":
        """Create a state in a new folder."""
        fleet, began = uuid.uuid4().hex[:8], utc_now()
        stamp = began[:19].replace("-", "").replace(":", "") + "Z"
        folder = results / f"fleet-{stamp}-{fleet}"
        folder.mkdir(parents=True)
        record = FleetRecord(
            fleet=fleet,
            began=began,
            bundle_sha256=bundle_sha256,
            options=list(options),
            image=image,
            devices=[DeviceState(engine=engine) for engine in engines],
        )
        state = cls(folder, record)
        state._write()
        return state

    @classmethod
    def find(
        cls, results: Path, bundle_sha256: str, options: Sequence[str], engines: Sequence[EngineSetting]
    ) -> "FleetState | None":
        """Return the newest state of the same bundle, options and engines, None if there is none."""
        for path in sorted(results.glob(f"fleet-*/{_STATE_FILE}"), reverse=True):
            try:
                record = decode_record(path, FleetRecord, ResultsError, "remove it")
            except ResultsError:
                continue
            if (
                record.bundle_sha256 == bundle_sha256
                and record.options == list(options)
                and [device.engine for device in record.devices] == list(engines)
            ):
                return cls(path.parent, record)
        return None

    def set(self, device: DeviceState) -> None:
        """Replace the row of the same engine. Raise ResultsError if this cannot be written."""
        with self._lock:
            devices = [device if old.engine.name == device.engine.name else old for old in self.record.devices]
            self.record = msgspec.structs.replace(self.record, devices=devices)
            self._write()

    def _write(self) -> None:
        path = self.folder / _STATE_FILE
        try:
            write_atomically(path, encode_record(self.record))
        except OSError as cause:
            raise unwritable(path, cause, "choose another folder with --results") from None
