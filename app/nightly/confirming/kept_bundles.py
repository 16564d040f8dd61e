"""Bundles by their checksum, so that an old model can be measured again beside a new one.

They are in ``nights/bundles/SHA256`` of the results folder, as hard links if possible. Only the last two of each model
are kept. A bundle is checked when it is opened, so a file that was changed in place is found then.
"""

import contextlib
import os
import shutil
import uuid
from collections.abc import Collection
from pathlib import Path

from edge_bench.app.fleet.runs.spec import UPLOAD_EXCLUDES
from edge_bench.bench.errors import EdgeBenchError
from edge_bench.bench.records.bundle import Bundle
from edge_bench.bench.records.nights.files import FOLDER

__all__ = ["keep_bundle", "kept_bundle", "link_or_copy", "remove_others"]


def keep_bundle(bundle: Bundle, results: Path) -> None:
    """Keep a bundle, unless it is kept already."""
    target = _folder(results) / bundle.digest
    if target.exists():
        return
    part = target.with_name(f".part-{uuid.uuid4().hex}")
    try:
        for path in sorted(bundle.folder.rglob("*")):
            relative = path.relative_to(bundle.folder)
            if relative.parts[0] not in UPLOAD_EXCLUDES and path.is_file() and not path.is_symlink():
                link_or_copy(path, part / relative)
        part.rename(target)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def kept_bundle(digest: str, results: Path) -> Bundle | None:
    """Return a bundle that is kept and unchanged; None if there is none."""
    if not digest.isalnum():
        return None
    with contextlib.suppress(EdgeBenchError, OSError):
        bundle = Bundle.open(_folder(results) / digest)
        if bundle.digest == digest:
            return bundle
    return None


def remove_others(digests: Collection[str], results: Path) -> None:
    """Remove the kept bundles that are not named, and what an interrupted command left."""
    for folder in _folder(results).glob("*"):
        if folder.name not in digests:
            shutil.rmtree(folder, ignore_errors=True)


def link_or_copy(source: Path, target: Path) -> None:
    """Make a hard link, or a copy if the file system has none."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _folder(results: Path) -> Path:
    return results / FOLDER / "bundles"
