"""Space for a night: retention makes some if needed, and a night that does not fit then is notified of."""

import datetime
from collections.abc import Sequence

from edge_bench.app.nightly.notify.message import refusal
from edge_bench.app.nightly.notify.send import send_once
from edge_bench.app.nightly.settings.reading import NightlySettings
from edge_bench.app.nightly.upkeep.disk import require_night_space
from edge_bench.app.nightly.upkeep.retention import retention_notes
from edge_bench.bench.errors import DiskFull
from edge_bench.bench.records.nights.files import read_all_nights
from edge_bench.bench.records.nights.night import Night

__all__ = ["require_space"]


def require_space(settings: NightlySettings, recent: Sequence[Night], now: datetime.datetime) -> list[str]:
    """Return notes on what was archived and removed to make space for a night.

    Raise DiskFull, and notify of it, if there still is too little.
    """
    try:
        require_night_space(settings.results, recent)
    except DiskFull:
        notes = retention_notes(settings, read_all_nights(settings.results), now, begun=False)
    else:
        return []
    try:
        require_night_space(settings.results, recent)
    except DiskFull as cause:
        message = refusal(cause.problem, [cause.remedy, *notes], now, settings.results)
        failed = send_once(message, settings.notify)
        unsent = f"; no notification was sent: {'; '.join(failed)}" if failed else ""
        raise DiskFull(f"{cause.problem}{unsent}", cause.remedy) from None
    return notes
