"""Delegates as the user stated them: find the library of each, and check that this machine can load it."""

import os
import platform
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from edge_bench.bench.errors import BadInput
from edge_bench.bench.io.files import mapped, sha256_of, why_unreadable
from edge_bench.bench.io.names import recordable
from edge_bench.bench.records.delegate import NO_DELEGATE, DelegateLibrary
from edge_bench.bench.runtimes import RUNTIMES, Runtime

__all__ = ["DEFAULT_DELEGATE", "Delegate", "check_delegates", "delegates", "delegates_for"]

#: The word for the runtime's own choice.
DEFAULT_DELEGATE = "default"
_FLAG = "--delegate"
_FORM = "use LIB[,key=value…], such as libedgetpu.so.1 or ./libx.so,device=usb; none; or default"
#: The function of every external delegate.
_ENTRY = b"tflite_plugin_create_delegate"
#: The largest library, 1 GiB.
_MAX_BYTES = 1 << 30
#: Bytes of an ELF file up to the number of its architecture.
_HEADER = 20
#: ELF's numbers of architectures, as named by ``uname -m``.
_MACHINES = {3: "i686", 40: "armv7l", 62: "x86_64", 183: "aarch64", 243: "riscv64"}


class Delegate(NamedTuple):
    """A delegate to measure with."""

    text: str  # as in `Configuration.delegate`
    library: Path | None = None
    record: DelegateLibrary | None = None


def delegates(stated: str | Sequence[str] | None) -> list[Delegate]:
    """Return the delegates that a user stated, without duplicates; an empty list for None.

    Raise BadInput if a library is missing, is not a delegate, or is for another processor.
    """
    texts = [stated] if isinstance(stated, str) else list(stated or [])
    found = list(dict.fromkeys(_delegate(text) for text in texts))
    for each in found:
        other = next((it for it in found if _name(it) == _name(each) and it.library != each.library), None)
        if other is not None:
            raise BadInput(
                f"{_FLAG}: {other.library} and {each.library} have the same file name", "rename one, or make two runs"
            )
    return found


def delegates_for(runtime: Runtime, chosen: Sequence[Delegate]) -> Sequence[Delegate]:
    """Return the delegates to measure a runtime with: those chosen, or only the default if it takes none."""
    return chosen if chosen and runtime.has_interpreter else [Delegate("")]


def check_delegates(chosen: Sequence[Delegate], runtimes: Sequence[Runtime]) -> None:
    """Raise BadInput if delegates are chosen, but none of the runtimes to measure takes one."""
    if not any(each.text for each in chosen) or any(runtime.has_interpreter for runtime in runtimes):
        return
    able = " and ".join(each.name for each in RUNTIMES.values() if each.has_interpreter)
    raise BadInput(
        f"{_FLAG}: {', '.join(dict.fromkeys(each.name for each in runtimes))} cannot use delegates",
        f"measure .tflite files on {able}, or omit {_FLAG}",
    )


def _name(delegate: Delegate) -> str:
    return delegate.text.split(",")[0]


def _delegate(text: str) -> Delegate:
    stated, *options = text.split(",") if isinstance(text, str) else [""]
    stated = stated.strip()
    if stated in (NO_DELEGATE, DEFAULT_DELEGATE) and not options:
        return Delegate("" if stated == DEFAULT_DELEGATE else stated)
    keys = [each.split("=", 1)[0].strip() for each in options]
    if not stated or stated in (NO_DELEGATE, DEFAULT_DELEGATE) or not all("=" in each for each in options):
        raise BadInput(f"{_FLAG} {str(text)[:200]!r}: not a library with options", _FORM)
    if not all(keys) or len(set(keys)) < len(keys):
        raise BadInput(f"{_FLAG} {text[:200]!r}: an option without a name, or twice", _FORM)
    library = _found(stated)
    record = _checked(library)
    # by the name that was stated, as a link's name is the same on every machine
    parts = [Path(stated).name, *(each.strip() for each in options)]
    return Delegate(recordable(",".join(parts)), library, record)


def _found(stated: str) -> Path:
    """Return the path of a library: as stated, or in the linker's folders if it has no folder."""
    path = Path(stated)
    folders = [] if path.name != stated else _linker_folders()
    for candidate in (path, *(folder / stated for folder in folders)):
        if candidate.is_file():
            return candidate.absolute()
    if path.exists():
        raise BadInput(f"{_FLAG} {path}: not a regular file", _FORM)
    where = "no such file, neither here nor in the folders for libraries" if folders else "no such file"
    raise BadInput(f"{_FLAG} {path}: {where}", "install the library, or in a container mount it, and give its path")


def _linker_folders() -> list[Path]:
    stated = [Path(each) for each in os.environ.get("LD_LIBRARY_PATH", "").split(os.pathsep) if each]
    triplet = f"{platform.machine()}-linux-gnu"
    return [
        *stated, Path("/usr/local/lib"), *(Path(base, triplet) for base in ("/usr/lib", "/lib")),
        *map(Path, ("/usr/lib64", "/usr/lib", "/lib64", "/lib")),
    ]  # fmt: skip


def _checked(library: Path) -> DelegateLibrary:
    """Return the record of a library; raise BadInput if it cannot be a delegate for this machine."""
    try:
        with mapped(library, _MAX_BYTES) as content:
            number, has_entry = _machine(bytes(content[:_HEADER])), content.find(_ENTRY) >= 0
            size = len(content)
        digest = sha256_of(library)
    except (OSError, ValueError) as cause:
        raise BadInput(f"{_FLAG} {library}: cannot be read: {why_unreadable(cause)}", _FORM) from None
    if number is None:
        raise BadInput(f"{_FLAG} {library}: not a shared library", _FORM)
    with Path(sys.executable).open("rb") as python:
        own = _machine(python.read(_HEADER))
    if own not in (None, number):
        wanted, has = (_MACHINES.get(each or 0, f"ELF machine {each}") for each in (own, number))
        raise BadInput(
            f"{_FLAG} {library}: its code is for {has}, but Python here is for {wanted}", f"use its build for {wanted}"
        )
    if not has_entry:
        raise BadInput(
            f"{_FLAG} {library}: not a delegate, as it has no function {_ENTRY.decode()}",
            "use an external delegate, such as libedgetpu.so.1 or libarmnnDelegate.so",
        )
    version = recordable(library.resolve().name.partition(".so.")[2])
    return DelegateLibrary(path=recordable(str(library)), bytes=size, sha256=digest, version=version)


def _machine(header: bytes) -> int | None:
    """Return the number of the architecture in the header of an ELF file; None for another file."""
    if len(header) < _HEADER or not header.startswith(b"\x7fELF"):
        return None
    return int.from_bytes(header[18:20], "big" if header[5] == 2 else "little")
