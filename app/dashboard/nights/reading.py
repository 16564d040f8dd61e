"""The records of nights in results folders. Each file is read once, and again when it changes."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from edge_bench.bench.records.nights.files import FOLDER, MORE, night_files, read_nights
from edge_bench.bench.records.nights.night import Night

__all__ = ["NightFolder", "NightReader", "run_path"]

#: Nights that are shown and searched for changes. `nightly` compares a night with as many earlier ones.
NIGHTS = 100
#: Folders in a results folder that have Runs of nights.
_RUN_FOLDERS = ("", f"{FOLDER}/{MORE}", f"{FOLDER}/confirmations")


class NightFolder(msgspec.Struct, frozen=True, kw_only=True):
    """The last nights in a results folder."""

    place: int  # its number among the folders of the dashboard, from 1; part of addresses
    folder: Path
    nights: list[Night]  # in their order, without damaged ones
    damaged: dict[int, str]  # by the number of the night, what is wrong with its record
    earlier: list[int]  # numbers of the nights before these

    def read(self, number: int) -> tuple[Night | None, str]:
        """Return a night, and why its record cannot be read if it is damaged; None and "" without a record."""
        known = next((night for night in self.nights if night.number == number), None)
        if known or number in self.damaged:
            return known, self.damaged.get(number, "")
        path = night_files(self.folder).get(number)
        nights, notes = read_nights([path] if path else [])
        return (nights[0] if nights else None), "".join(notes)

    @property
    def numbers(self) -> list[int]:
        """The numbers of all nights, in order."""
        return sorted([*self.earlier, *self.damaged, *(night.number for night in self.nights)])


def run_path(folder: Path, night: Night, name: str) -> Path | None:
    """Return the file of a Run that the night's record names; None if it does not, or there is no such file."""
    names = {each.run_file for each in night.measurements}
    names |= {file for each in night.measurements for file in each.more_runs}
    names |= {each.confirmation.run_file for each in night.findings if each.confirmation}
    if name not in names or Path(name).name != name or not name.startswith("run-"):
        return None  # a damaged record must not lead to other files
    return next((path for where in _RUN_FOLDERS if (path := folder / where / name).is_file()), None)


class NightReader:
    """Reads the nights of some results folders. Several threads must not use it at once."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = folders
        self._kept: dict[Path, tuple[tuple[int, ...], Night | str]] = {}

    def newest(self) -> list[NightFolder]:
        """Return the folders that have nights."""
        seen: dict[Path, tuple[tuple[int, ...], Night | str]] = {}
        found = [self._folder(place, folder, seen) for place, folder in enumerate(self._folders, 1)]
        self._kept = seen
        return [each for each in found if each.nights or each.damaged]

    def _folder(self, place: int, folder: Path, seen: dict[Path, tuple[tuple[int, ...], Night | str]]) -> NightFolder:
        files = night_files(folder) if folder.is_dir() else {}
        nights, damaged = [], {}
        for number in list(files)[-NIGHTS:]:
            read = self._read(files[number], seen)
            if isinstance(read, Night):
                nights.append(read)
            elif read:
                damaged[number] = read
        return NightFolder(
            place=place, folder=folder, nights=nights, damaged=damaged, earlier=list(files)[:-NIGHTS]
        )  # fmt: skip

    def _read(self, path: Path, seen: dict[Path, tuple[tuple[int, ...], Night | str]]) -> Night | str:
        try:
            stat = path.stat()
        except OSError:
            return ""  # deleted meanwhile
        state = (stat.st_size, stat.st_mtime_ns, stat.st_ino)
        if path not in self._kept or self._kept[path][0] != state:
            nights, notes = read_nights([path])
            seen[path] = (state, nights[0] if nights else notes[0])
        else:
            seen[path] = self._kept[path]
        return seen[path][1]
