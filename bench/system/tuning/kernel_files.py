"""Files of /sys and /proc below a root folder, read and written as the kernel expects it."""

import errno
import os
import re
import stat
from pathlib import Path

from edge_bench.bench.io.files import read_text_or_empty

__all__ = ["KernelFiles"]


class KernelFiles:
    """The files below ``root``. All paths are relative to it, such as ``proc/sys/vm/swappiness``."""

    def __init__(self, root: Path = Path("/")) -> None:
        self.root = root

    def find(self, *patterns: str) -> list[str]:
        """Return the files that match, those of the first pattern first. A link to a file found earlier is left out."""
        found: dict[Path, str] = {}
        for pattern in patterns:
            for path in sorted(self.root.glob(pattern), key=_by_number):
                if path.is_file():
                    found.setdefault(path.resolve(), str(path.relative_to(self.root)))
        return list(found.values())

    def text(self, path: str) -> str:
        """Return the text of a file without the space around it; empty if it cannot be read."""
        return read_text_or_empty(self.root / path).strip()

    def read(self, path: str) -> bytes:
        """Return the content of a file; raise OSError if it cannot be read."""
        return (self.root / path).read_bytes()

    def write(self, path: str, content: bytes) -> None:
        """Write to an existing file in one call, as the kernel requires; raise OSError if it refuses."""
        handle = os.open(self.root / path, os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC)
        try:
            if os.write(handle, content) != len(content):
                raise OSError(errno.EIO, os.strerror(errno.EIO))
        finally:
            os.close(handle)

    def can_write(self, path: str) -> bool:
        """Return whether this process may write the file, or create it if it does not exist."""
        where = self.root / path
        while not where.exists():
            where = where.parent
        return os.access(where, os.W_OK)

    def has_write_bit(self, path: str) -> bool:
        """Return whether the kernel made the file to be written. Root may open any file for writing."""
        try:
            return bool((self.root / path).stat().st_mode & stat.S_IWUSR)
        except OSError:
            return False


def _by_number(path: Path) -> list[str | int]:
    """Return a key that sorts policy2 before policy10."""
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", str(path))]
