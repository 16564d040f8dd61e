"""Disk space: a night that would not fit is refused, and a disk that fills up is reported early."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from edge_bench.bench.errors import DiskFull
from edge_bench.bench.records.nights.night import Night
from edge_bench.bench.wording import counted

__all__ = ["disk_warning", "require_night_space"]

#: Always kept free, for records and for journals, which are as large as their Runs.
_RESERVE_BYTES = 64 << 20
#: The disk is reported if it is predicted to be full within this many nights.
_WARN_NIGHTS = 30
#: Nights whose growth is used for the prediction, and the smallest number of them.
_RECENT, _MIN_NIGHTS = 14, 2
_FREE = "free disk space, use a smaller limit in [run], or a smaller keep"


def require_night_space(results: Path, earlier: Sequence[Night]) -> None:
    """Raise DiskFull if a night as large as the largest of the last ones would not fit on the disk.

    A Run needs as much space again while it is measured, and one more night is kept free for second measurements.
    """
    largest = max((night.run_bytes for night in earlier[-_RECENT:]), default=0)
    needed, free = 3 * largest + _RESERVE_BYTES, shutil.disk_usage(results).free
    if needed > free:
        raise DiskFull(
            f"{results}: a night needs up to {needed / 1e6:,.0f} MB there, but {free / 1e6:,.0f} MB are free; "
            "nothing was measured",
            _FREE,
        )


def disk_warning(results: Path, nights: Sequence[Night]) -> tuple[str, int]:
    """Return a warning if the disk will soon be full, otherwise an empty text; and the free bytes.

    The prediction uses the faster of two rates: the growth of the Runs, and the loss of free space per night, which
    includes other programs on this disk. The warning is repeated when the number of nights left has halved.
    """
    free = shutil.disk_usage(results).free
    recent = [night for night in nights[-_RECENT:] if night.free_bytes]
    if len(recent) < _MIN_NIGHTS:
        return "", free
    lost = (recent[0].free_bytes - free) / len(recent)
    grown = sum(night.run_bytes for night in nights[-_RECENT:]) / len(nights[-_RECENT:])
    rate = max(lost, grown)
    if rate <= 0:
        return "", free
    left = int((free - _RESERVE_BYTES) / rate)
    before = int((recent[-1].free_bytes - _RESERVE_BYTES) / rate)
    if left > _WARN_NIGHTS or not _halved(before, left):
        return "", free
    amounts = f"{results} has {free / 1e6:,.0f} MB free, and a night takes {rate / 1e6:,.1f} MB"
    return f"Disk full in about {counted(max(left, 0), 'night')}: {amounts}", free


def _halved(before: int, now: int) -> bool:
    """Return whether a threshold of 30, 15, 7, 3 or fewer nights lies between two numbers of nights."""
    if now <= 1:
        return True
    limit = _WARN_NIGHTS
    while limit >= 1:
        if now <= limit < before:
            return True
        limit //= 2
    return False
