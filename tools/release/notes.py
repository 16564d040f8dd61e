"""The release notes: the part of CHANGELOG.md for one version."""

import re

from tools.release.errors import ReleaseError

__all__ = ["release_notes"]

_HEADING = re.compile(r"^## (?P<version>\S+) \((?P<date>[^)]*)\)$", re.MULTILINE)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def release_notes(changelog: str, version: str, *, dry_run: bool = False) -> str:
    """Return the notes of a version, without its heading.

    Raise ReleaseError if there are none, or if the version has no date. A dry run needs no date.
    """
    headings = list(_HEADING.finditer(changelog))
    for heading, following in zip(headings, [*headings[1:], None], strict=True):
        if heading["version"] != version:
            continue
        if not dry_run and not _DATE.fullmatch(heading["date"]):
            raise ReleaseError(f"CHANGELOG.md says “{version} ({heading['date']})”: put the date of the release there")
        notes = changelog[heading.end() : following.start() if following else None].strip()
        if not notes:
            raise ReleaseError(f"CHANGELOG.md has no notes for {version}")
        return notes + "\n"
    raise ReleaseError(f"CHANGELOG.md has no heading “## {version} (date)”: bench/version.py and it must agree")
