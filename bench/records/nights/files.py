"""Files of nights: ``nights/night-000001.json`` and so on in the results folder."""

import re
from collections.abc import Sequence
from pathlib import Path

from edge_bench.bench.errors import ResultsError
from edge_bench.bench.io.disk_space import unwritable
from edge_bench.bench.io.files import write_atomically
from edge_bench.bench.io.record_codec import decode_record, encode_record
from edge_bench.bench.records.nights.night import Night
from edge_bench.bench.wording import counted

__all__ = [
    "FOLDER",
    "MORE",
    "missing_records",
    "night_files",
    "read_all_nights",
    "read_nights",
    "read_recent_nights",
    "write_night",
]

#: In the results folder.
FOLDER = "nights"
#: In that folder: further Runs of a night. They are not among the results, where each Run counts as another night.
MORE = "more"
_NAME = re.compile(r"night-(\d{6,12})\.json")
_REMEDY = "move it out of the folder; the Runs of that night are still in the results folder"


def night_files(results: Path) -> dict[int, Path]:
    """Return the files of all nights by their numbers, in order."""
    found = {int(match[1]): path for path in (results / FOLDER).glob("night-*.json")
             if (match := _NAME.fullmatch(path.name))}  # fmt: skip
    return dict(sorted(found.items()))


def missing_records(results: Path) -> str:
    """Return a note if records of earlier nights are missing; empty if all are there.

    ``night-000003.json`` alone means that two are missing. Runs in a folder without any record may be of nights.
    """
    numbers = list(night_files(results))
    if numbers and (gone := sorted(set(range(1, numbers[-1])) - set(numbers))):
        listed = f"night {gone[0]}" if len(gone) == 1 else f"{len(gone)} nights from {gone[0]} to {gone[-1]}"
        return f"{results / FOLDER}: the records of {listed} are missing; the Runs of these nights are not compared"
    if not numbers and (runs := sum(1 for _ in results.glob("run-*.json"))):
        return (
            f"{results}: {counted(runs, 'Run')} without the record of a night; this night is the first, and these Runs "
            "are not compared. If the records were moved away, put them back"
        )
    return ""


def read_nights(paths: Sequence[Path]) -> tuple[list[Night], list[str]]:
    """Return the nights in these files, and a note on each file that cannot be read."""
    nights, notes = [], []
    for path in paths:
        try:
            night = decode_record(path, Night, ResultsError, _REMEDY)
            if (match := _NAME.fullmatch(path.name)) and int(match[1]) != night.number:
                raise ResultsError(f"{path}: it is the record of night {night.number}", _REMEDY)
        except ResultsError as cause:
            notes.append(f"{cause.problem}; {cause.remedy}")
        else:
            nights.append(night)
    return nights, notes


def read_recent_nights(results: Path, count: int) -> tuple[list[Night], list[str]]:
    """Return the last nights in their order, and a note on each damaged file."""
    return read_nights(list(night_files(results).values())[-count:])


def read_all_nights(results: Path) -> list[Night]:
    """Return all nights in their order, without damaged ones."""
    return read_nights(list(night_files(results).values()))[0]


def write_night(night: Night, results: Path) -> Path:
    """Write the record of a night, replacing its earlier state. Raise ResultsError if it cannot be written."""
    path = results / FOLDER / f"night-{night.number:06d}.json"
    try:
        write_atomically(path, encode_record(night))
    except OSError as cause:
        raise unwritable(path, cause, "use another folder") from None
    return path
