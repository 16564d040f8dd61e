"""Control charts of series that are kept between commands, so that only the values of new Runs are judged."""

import contextlib
import hashlib
from array import array
from collections.abc import Sequence
from pathlib import Path

import msgspec

from edge_bench.bench.errors import BadInput
from edge_bench.bench.io.files import read_bounded, write_atomically
from edge_bench.bench.stats.chart_records import ChartState
from edge_bench.bench.stats.control_chart import ControlChart

__all__ = ["StoredCharts"]

_MAX_BYTES = 256 << 20
_DIGEST_BYTES = 32


class _Stored(msgspec.Struct, frozen=True, array_like=True):
    """The chart of the first ``count`` values of a series."""

    count: int
    sha256: bytes  # of these values
    state: ChartState


_FILE = msgspec.msgpack.Decoder(dict[bytes, _Stored])


class StoredCharts:
    """The charts of all series, in one file. A missing, damaged or unwritable one has no effect but on the time."""

    def __init__(self, path: Path | None) -> None:
        """Read the file; None: keep nothing. Its name must be different for each version of the code."""
        self._path = path
        self._stored = _read(path) if path else {}
        self._used: dict[bytes, _Stored] = {}
        self._new = False

    def chart(self, series: Sequence[object], logs: Sequence[float]) -> ControlChart:
        """Return the control chart of these values of a series. Continue the stored one if it is of the first ones."""
        key = hashlib.sha256(repr(series).encode("utf-8", "surrogatepass")).digest()
        stored = self._stored.get(key)
        if stored is None or stored.sha256 != _digest(logs[: stored.count]):
            control = ControlChart(logs)
        else:
            control = ControlChart(logs, state=stored.state)
        if self._path:
            is_same = stored is not None and stored.count == len(logs) and len(control.judgements) == len(logs)
            if stored is None or not is_same:
                stored, self._new = _Stored(len(logs), _digest(logs), control.state), True
            self._used[key] = stored
        return control

    def keep(self) -> None:
        """Write the charts that were used, if any of them is new."""
        if self._path and self._new:
            content = msgspec.msgpack.encode(self._used)
            with contextlib.suppress(OSError, BadInput):
                write_atomically(self._path, hashlib.sha256(content).digest() + content)


def _digest(values: Sequence[float]) -> bytes:
    return hashlib.sha256(array("d", values).tobytes()).digest()


def _read(path: Path) -> dict[bytes, _Stored]:
    try:
        data = read_bounded(path, _MAX_BYTES)
        if hashlib.sha256(data[_DIGEST_BYTES:]).digest() != data[:_DIGEST_BYTES]:
            return {}
        return _FILE.decode(memoryview(data)[_DIGEST_BYTES:])
    except (OSError, ValueError):
        return {}
