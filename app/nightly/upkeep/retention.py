"""Runs that are older than ``keep`` go into an archive for each month, and old archives are removed.

``archive/runs-2026-08.tar.gz`` holds Run files as they were: unpack it, and every command reads them. A Run is removed
only after the archive with it is complete on disk and was read back. The records of the nights are kept, with the times
and accuracies of every Run.
"""

import contextlib
import datetime
import hashlib
import re
import tarfile
from collections.abc import Sequence
from pathlib import Path

from edge_bench.app.nightly.settings.reading import NightlySettings
from edge_bench.bench.errors import BadInput, ResultsError
from edge_bench.bench.io.archives import ARCHIVE_ERRORS
from edge_bench.bench.io.files import open_regular_file, replacing
from edge_bench.bench.io.record_codec import MAX_RUN_BYTES
from edge_bench.bench.records.nights.files import FOLDER, MORE
from edge_bench.bench.records.nights.night import Night
from edge_bench.bench.wording import counted

__all__ = ["ARCHIVE", "apply_retention", "retention_notes", "runs_in_use"]

ARCHIVE = "archive"
#: The newest Runs of each model on each engine are never archived: the history's rules compare with as many.
_MIN_RUNS = 40
#: After a longer pause between nights, the clock is believed only if the next night agrees.
_LONGEST_PAUSE = datetime.timedelta(days=30)
_RUN_NAME = re.compile(r"run-(\d{8})T\d{6}Z-[A-Za-z0-9-]{1,80}\.json")
_ARCHIVE_NAME = re.compile(r"runs-(\d{4})-(\d\d)\.tar\.gz")


def runs_in_use(nights: Sequence[Night]) -> set[str]:
    """Return the files of Runs that are not archived, whatever their age.

    They are the newest of each model on each engine, the last good Run before each change, and the first after it.
    """
    by_series: dict[tuple[str, str], list[str]] = {}
    files: dict[str, str] = {}
    for night in nights:
        for each in night.measurements:
            if each.run_file:
                by_series.setdefault((each.model, each.engine), []).append(each.run_file)
                files[each.run_id] = each.run_file
    used = {name for names in by_series.values() for name in names[-_MIN_RUNS:]}
    named = {run for night in nights for found in night.findings for run in (found.last_good_run, found.run_id)}
    return used | {files[run] for run in named if run in files}


def apply_retention(
    results: Path, nights: Sequence[Night], now: datetime.datetime, keep_days: int | None, archive_days: int | None
) -> list[str]:
    """Archive old Runs of nights and remove old archives; return a note on each step and each problem.

    Only Runs that a night's record names are archived: others are not edge-bench nightly's. ``None`` means forever.
    """
    notes = []
    if keep_days is not None:
        before = now - datetime.timedelta(days=keep_days)
        # an archive needs space, which the first step makes
        for step, done in ((_remove_further, "removed"), (_archive_old, "archived")):
            try:
                notes += step(results, nights, before)
            except (OSError, BadInput) as cause:
                notes.append(f"Runs could not be {done}: {getattr(cause, 'strerror', None) or cause}; they are kept")
    if archive_days is not None:
        notes += _remove_old(results, now - datetime.timedelta(days=archive_days))
    return notes


def retention_notes(
    settings: NightlySettings, nights: Sequence[Night], now: datetime.datetime, *, begun: bool = True
) -> list[str]:
    """Apply the retention of the settings, unless the clock may have been set forward, which would age every Run.

    ``nights`` are all nights, and ``begun`` is whether the last of them is tonight.
    """
    before = nights[: -1 if begun else None]
    if before and now - datetime.datetime.fromisoformat(before[-1].began) > _LONGEST_PAUSE:
        return [
            f"nothing was archived or removed tonight: by the clock, the night before was over {_LONGEST_PAUSE.days} "
            "days ago"
        ]
    return apply_retention(settings.results, nights, now, settings.keep_days, settings.keep_archive_days)


def _remove_further(results: Path, nights: Sequence[Night], before: datetime.datetime) -> list[str]:
    """Remove old further Runs, second measurements and journals, but none of a Run that is in use.

    A machine with a wrong clock makes Runs that seem old. A journal counts from when it was moved here.
    """
    used, kept = runs_in_use(nights), set[str]()
    for night in nights:
        places = {(each.model, each.engine) for each in night.measurements if each.run_file in used}
        for each in night.measurements:
            kept |= set(each.more_runs) if each.run_file in used else set()
        kept |= {
            found.confirmation.run_file
            for found in night.findings
            if found.confirmation and (found.model, found.engine) in places
        }
    removed = 0
    for folder in ("confirmations", MORE, "unfinished"):
        for path in (results / FOLDER / folder).glob("run-*"):
            day = _day(path.with_suffix(".json").name)
            since = path.stat().st_ctime if folder == "unfinished" else 0.0
            if day and max(day.timestamp(), since) < before.timestamp() and path.name not in kept:
                path.unlink()
                removed += 1
    return [f"removed {counted(removed, 'old file')} from {results / FOLDER}"] if removed else []


def _archive_old(results: Path, nights: Sequence[Night], before: datetime.datetime) -> list[str]:
    known = {each.run_file for night in nights for each in night.measurements if each.run_file}
    months: dict[str, list[Path]] = {}
    for name in sorted(known - runs_in_use(nights)):
        day = _day(name)
        if day and day < before:
            months.setdefault(f"{day:%Y-%m}", []).append(results / name)
    notes = []
    for month, named in months.items():
        if paths := [path for path in named if path.is_file()]:
            archive = results / ARCHIVE / f"runs-{month}.tar.gz"
            _add(archive, paths)
            for path in paths:
                path.unlink()
            notes.append(f"archived {counted(len(paths), 'Run')} of {month} in {archive}")
    return notes


def _day(name: str) -> datetime.datetime | None:
    """Return the day in a Run's file name; None for another name."""
    match = _RUN_NAME.fullmatch(name)
    try:
        return datetime.datetime.strptime(match[1], "%Y%m%d").replace(tzinfo=datetime.UTC) if match else None
    except ValueError:
        return None


def _add(archive: Path, paths: Sequence[Path]) -> None:
    """Write an archive with its present files and others; raise ResultsError unless they read back as they were."""
    checksums = {}
    with replacing(archive, suffix=".tar.gz") as part:
        with tarfile.open(part, "w:gz", format=tarfile.PAX_FORMAT) as new:
            if archive.exists():
                _copy_members(archive, new, {path.name for path in paths})
            for path in paths:
                new.add(path, path.name, recursive=False)
                checksums[path.name] = hashlib.sha256(path.read_bytes()).hexdigest()
        found = _checksums(part)
        if any(found.get(name) != digest for name, digest in checksums.items()):
            raise ResultsError(f"{archive}: it could not be read back, so no Run was removed")


def _copy_members(archive: Path, new: tarfile.TarFile, without: set[str]) -> None:
    try:
        with tarfile.open(archive, "r:gz") as old:
            for member in old:
                if member.isreg() and _RUN_NAME.fullmatch(member.name) and member.name not in without:
                    new.addfile(member, old.extractfile(member))
    except ARCHIVE_ERRORS as cause:
        raise ResultsError(f"{archive}: it is damaged ({cause}), so no Run was added to it", "move it away") from None


def _checksums(archive: Path) -> dict[str, str]:
    with open_regular_file(archive) as file, tarfile.open(fileobj=file, mode="r:gz") as content:
        found = {}
        for member in content:
            data = content.extractfile(member)
            if data is not None and member.size <= MAX_RUN_BYTES:
                found[member.name] = hashlib.sha256(data.read()).hexdigest()
        return found


def _remove_old(results: Path, before: datetime.datetime) -> list[str]:
    notes = []
    for path in sorted((results / ARCHIVE).glob("runs-*.tar.gz")):
        match = _ARCHIVE_NAME.fullmatch(path.name)
        if match and 1 <= int(match[2]) <= 12:
            year, month = int(match[1]), int(match[2])
            end = datetime.datetime(year + month // 12, month % 12 + 1, 1, tzinfo=datetime.UTC)
            if end < before:
                with contextlib.suppress(OSError):
                    path.unlink()
                    notes.append(f"removed {path}, which is older than keep_archives")
    return notes
