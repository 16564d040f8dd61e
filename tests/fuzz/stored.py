"""Targets for settings of `nightly`, records of nights and device files."""

from pathlib import Path

import msgspec

from edge_bench.app.nightly.notify.message import message_of
from edge_bench.app.nightly.settings.reading import read_settings
from edge_bench.app.nightly.upkeep.retention import runs_in_use
from edge_bench.app.nightly.upkeep.silence import silent_engines
from edge_bench.app.render.formats import Format
from edge_bench.app.render.text.table import render
from edge_bench.app.tables.nights import night_table
from edge_bench.bench.errors import BadInput
from edge_bench.bench.io.record_codec import encode_record
from edge_bench.bench.prediction.catalogue import load_device
from edge_bench.bench.prediction.device_file import device_bytes
from edge_bench.bench.prediction.predict import predict_latency
from edge_bench.bench.prediction.work import OperatorWork
from edge_bench.bench.records.nights.files import read_nights
from tests.made.nights.whole import NIGHT

__all__ = ["device_files", "nights", "settings_files", "use_device_file", "use_night", "use_settings_file"]


def settings_files() -> list[bytes]:
    """Return files for `edge-bench nightly`, with a model that exists."""
    return [
        b'results = "results"\nkeep = "365d"\n[[model]]\nname = "m"\nbundle = "."\n[fleet]\nthis_machine = true\n'
        b'[[fleet.engine]]\nname = "pi4"\nurl = "ssh://pi@pi4.local"\n[run]\ntrials = 30\nthreads = [1, 4]\n'
        b'memory_limit = "1G"\n[gate]\nslower = "2%"\nless_accurate = 0.5\n[notify]\ncommand = ["./tell"]\n'
        b'webhook = "https://example.org/x"\nmail_to = ["a@example.org"]\ntimeout = 5\n',
    ]


def use_settings_file(path: Path) -> None:
    """Read a settings file."""
    read_settings(path)


def nights() -> list[bytes]:
    """Return the record of a night."""
    return [encode_record(NIGHT)]


def use_night(path: Path) -> None:
    """Read the record of a night, and show and report it."""
    made, notes = read_nights([path])
    if not made:
        raise BadInput(notes[0])
    for night in made:
        for form in Format:
            render(night_table(night), form)
        message_of(night, path.parent).as_json()
        silent_engines(night, made, 1)
        runs_in_use(made)


def device_files() -> list[bytes]:
    """A device file with two parameter sets."""
    device = load_device("pi5")
    return [device_bytes(msgspec.structs.replace(device, parameters=device.parameters[:2], personal=True))]


def use_device_file(path: Path) -> None:
    """Read a device file, write it again and predict with it."""
    device = load_device(path)
    device_bytes(device)
    for parameters in device.parameters:
        predict_latency([OperatorWork("pointwise", 1e6, 4e3, 8e3)], parameters)
