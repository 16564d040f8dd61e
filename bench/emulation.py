"""Whether this process runs under QEMU's user emulation, also where nobody said so."""

import platform
import re
from pathlib import Path

__all__ = ["emulation_signs"]


def emulation_signs(root: Path = Path("/")) -> list[str]:
    """What gives an emulator away, in words; an empty list on a real machine."""
    signs = []
    architecture = platform.machine()
    version = _text(root / "proc/version")
    if architecture.startswith(("aarch64", "arm")) and re.search(r"x86_64|amd64", version):
        signs.append("the kernel was built for x86_64")
    return signs


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
