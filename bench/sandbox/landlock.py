"""Landlock, which restricts the files, TCP ports and signals of this process. Source: Linux, uapi/linux/landlock.h."""

import ctypes
import os
import stat
import sys
from collections.abc import Iterable
from pathlib import Path

from edge_bench.bench.sandbox.kernel import call, prctl
from edge_bench.bench.sandbox.syscalls import RESTRICT

__all__ = ["landlock_abi", "restrict_files"]

_NUMBERS = RESTRICT.x86_64  # the same on every architecture
_VERSION = 1  # flag of landlock_create_ruleset
_PATH_BENEATH = 1  # type of a rule
_NO_NEW_PRIVILEGES = 38  # prctl(2)

# rights to files; those below also to directories
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1, 2, 4, 8
_MAKE_DEVICES = 1 << 6 | 1 << 11  # character and block devices
_TRUNCATE, _IOCTL_DEV = 1 << 14, 1 << 15
_OF_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEV
_READ = _READ_FILE | _READ_DIR
#: Number of file rights in each version of the interface: 13 at first, then REFER, TRUNCATE, IOCTL_DEV.
_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15}
_LATEST_RIGHTS = 16
#: Binding and connecting of TCP sockets since version 4; abstract UNIX sockets and signals since version 6.
_NET_SINCE, _NET = 4, 3
_SCOPES_SINCE, _SCOPES = 6, 3


class _Ruleset(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scopes", ctypes.c_uint64))


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("rights", ctypes.c_uint64), ("parent", ctypes.c_int32))


def landlock_abi() -> int:
    """Return the version of the kernel's Landlock interface, 0 if there is none."""
    if sys.platform != "linux":
        return 0
    try:
        return call(_NUMBERS["landlock_create_ruleset"], None, 0, _VERSION)
    except OSError:  # missing in the kernel, switched off, or refused by a container
        return 0


def restrict_files(
    abi: int,
    readable: Iterable[Path],
    writable: Iterable[Path],
    programs: Iterable[Path] = (),
    devices: Iterable[Path] = (),
) -> None:
    """Restrict this thread, and those it starts, to reading and writing below these paths; raise OSError on failure.

    ``devices`` can also be controlled (ioctl), but no files can be created or removed there. Only ``programs`` can be
    executed. Devices cannot be created. Paths that do not exist or cannot be opened are skipped, and therefore refused.
    The paths stay open, because the rules are about inodes, and procfs makes new ones.
    """
    handled = (1 << _RIGHTS.get(abi, _LATEST_RIGHTS)) - 1
    attributes = _Ruleset(handled, _NET if abi >= _NET_SINCE else 0, _SCOPES if abi >= _SCOPES_SINCE else 0)
    ruleset = call(_NUMBERS["landlock_create_ruleset"], ctypes.byref(attributes), ctypes.sizeof(attributes), 0)
    try:
        for path in readable:
            _allow(ruleset, path, _READ & handled)
        for path in programs:
            _allow(ruleset, path, _READ_FILE | _EXECUTE)
        for path in devices:
            _allow(ruleset, path, (_READ | _WRITE_FILE | _IOCTL_DEV) & handled)
        for path in writable:
            _allow(ruleset, path, handled & ~(_EXECUTE | _MAKE_DEVICES | _IOCTL_DEV))
        prctl(_NO_NEW_PRIVILEGES, 1)
        call(_NUMBERS["landlock_restrict_self"], ruleset, 0)
    finally:
        os.close(ruleset)


def _allow(ruleset: int, path: Path, rights: int) -> None:
    try:
        handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    if not stat.S_ISDIR(os.fstat(handle).st_mode):
        rights &= _OF_FILES
    rule = _PathBeneath(rights, handle)
    call(_NUMBERS["landlock_add_rule"], ruleset, _PATH_BENEATH, ctypes.byref(rule), 0)
