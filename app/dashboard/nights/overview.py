"""What pages say about the nights of all folders, as of now."""

import datetime
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from edge_bench.app.dashboard.elements import titled
from edge_bench.app.dashboard.nights.reading import NightFolder
from edge_bench.app.dashboard.nights.sentences import headline, standing_lines
from edge_bench.app.dashboard.nights.standing import Found, Standing, standing
from edge_bench.app.dashboard.nights.table import night_address, night_table
from edge_bench.app.render.html.elements import Html, element, fragment
from edge_bench.app.render.html.table import with_badges
from edge_bench.bench.analysis.over_time.history import Series
from edge_bench.bench.records.nights.night import SilentEngine

__all__ = ["NightsNow", "nights_now"]

#: Nights on the first page.
_SHOWN = 14


class _Now(NamedTuple):
    folder: NightFolder
    standing: Standing | None  # None: all records are damaged


class NightsNow:
    """The nights of all folders that have some."""

    def __init__(self, folders: Sequence[NightFolder]) -> None:
        self._now = [_Now(folder, standing(folder.nights)) for folder in folders]

    def headline(self, now: datetime.datetime, silent_after_s: float) -> str:
        """Return the answer."""
        parts = [
            (each.folder, headline(each.standing, now, silent_after_s) if each.standing else _all_damaged(each.folder))
            for each in self._now
        ]
        if len(parts) == 1:
            return parts[0][1]
        return ". ".join(f"{folder.folder.name}: {text}" for folder, text in parts)

    def lines(self) -> list[Html]:
        """Return the sentences below the answer, with links to nights."""
        return [
            self.linked(folder, text, night)
            for folder, now in self._now
            for text, night in [*(standing_lines(now) if now else []), *_damaged_lines(folder)]
        ]

    def linked(self, folder: NightFolder, text: str, night: int | None) -> Html:
        """Return a sentence with a link to the page of a night."""
        if night is None:
            return with_badges(text)
        return fragment(with_badges(text), " ", element("a", f"Night {night}", href=night_address(folder, night)))

    def tables(self) -> Html:
        """Return the tables of the last nights."""
        return fragment(*(self._table(folder) for folder, _ in self._now))

    def _table(self, folder: NightFolder) -> Html | None:
        name = f" of {folder.folder.name}" if len(self._now) > 1 else ""
        all_nights = element("p", element("a", "All nights", href=f"/nights/{folder.place}"), class_="small")
        return titled(f"Nights{name}", fragment(night_table(folder, _SHOWN), all_nights))

    def found_in(self, series: Series) -> list[tuple[NightFolder, Found]]:
        """Return the changes of a series that have not ended, the worst first."""
        same = [
            (folder, found)
            for folder, now in self._now
            for found in (now.found if now else [])
            if found.finding.configuration == series.configuration
        ]
        if not same:
            return []
        runs = {point.run_id for point in series.points}
        return [(folder, found) for folder, found in same if found.finding.run_id in runs]

    def silent_by_run(self) -> Mapping[str, SilentEngine | None]:
        """Return, for each Run of the nights, its engine if that is silent now; None if it is not silent."""
        by_run: dict[str, SilentEngine | None] = {}
        for folder, now in self._now:
            silent = {each.engine: each for each in (now.silent if now else [])}
            for night in folder.nights:
                for each in night.measurements:
                    if each.run_id:
                        by_run[each.run_id] = silent.get(each.engine)
        return by_run

    def never_delivered(self) -> list[SilentEngine]:
        """Return the silent engines of which no night has a Run."""
        return [each for _, now in self._now for each in (now.silent if now else []) if not each.last_delivered]


def nights_now(folders: Sequence[NightFolder]) -> NightsNow | None:
    """Return what the nights say now; None without any."""
    return NightsNow(folders) if folders else None


def _all_damaged(folder: NightFolder) -> str:
    return f"No record of a night in {folder.folder.name} can be read"


def _damaged_lines(folder: NightFolder) -> list[tuple[str, int | None]]:
    return [(f"The record of night {number} is damaged: {text}.", None) for number, text in folder.damaged.items()]
