"""A seccomp filter of system calls with a list of allowed calls. All others fail with EPERM.

Refused calls return an error instead of killing the process, so that libraries that only try a call continue.
Sources: Linux, uapi/linux/seccomp.h, filter.h and audit.h.
"""

import ctypes
import errno
import os
import struct
from collections.abc import Iterable, Iterator

from edge_bench.bench.sandbox.kernel import call, native_architecture, prctl
from edge_bench.bench.sandbox.syscalls import (
    ABSENT,
    ALLOWED,
    CHECKED,
    DEVICE_MESSAGES,
    EXECUTE,
    FILE_CHANGES,
    HIGHEST,
    RESTRICT,
)

__all__ = ["filter_program", "install_filter", "seccomp_supported"]

_SET_MODE_FILTER = 1
#: For all threads. Without the second flag, kernels before 5.16 slow down the whole process by mitigations of
#: speculative reads within it. They are not needed, because a worker has no secrets.
_TSYNC, _SPEC_ALLOW = 1, 4
_NO_NEW_PRIVILEGES = 38
_AUDIT_ARCHITECTURE = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
# instructions of classic BPF: load a word of the call's data, AND, jumps, return
_LOAD, _AND, _RETURN = 0x20, 0x54, 0x06
_IF_EQUAL, _IF_ABOVE, _IF_AT_LEAST = 0x15, 0x25, 0x35
_NUMBER_AT, _ARCHITECTURE_AT, _ARGUMENTS_AT = 0, 4, 16
_ALLOW = 0x7FFF0000
_ERROR = 0x00050000

_CLONE_THREAD = 0x10000
_CLONE_NAMESPACES = 0x7E020000  # NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET
_O_ACCESS_MODE, _O_CREATE, _O_TRUNCATE = 3, 0o100, 0o1000
#: Duplicates, flags, locks, size and seals; not F_SETOWN and F_SETSIG, which send signals to any process.
_FCNTL = (0, 1, 2, 3, 4, 5, 6, 7, 36, 37, 38, 1030, 1031, 1032, 1033, 1034)
#: Terminal checks (TCGETS, TCGETS2), terminal size, the number of readable bytes, non-blocking, close on exec.
_IOCTL = (0x5401, 0x802C542A, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)
#: Names of threads and mappings, reading of settings, no new privileges, timer slack.
_PRCTL = (2, 3, 15, 16, 21, 23, 27, 29, 30, 38, 39, 51, 64, 0x53564D41)
_PR_SET_PDEATHSIG, _SIGKILL = 1, 9
_AF_NETLINK, _NETLINK_KOBJECT_UEVENT = 16, 15

Instruction = tuple[int, int, int, int]  # code, jump if true, jump if false, constant


def seccomp_supported() -> bool:
    """Return whether the kernel accepts filters, without installing one.

    The kernel looks for the filter at address 0 only if it supports filters. QEMU's user emulation does not.
    """
    architecture = native_architecture()
    if not architecture:
        return False
    try:
        call(RESTRICT.of(architecture)["seccomp"], _SET_MODE_FILTER, _TSYNC, None)
    except OSError as cause:
        return cause.errno == errno.EFAULT
    return False


def install_filter(*, read_only: bool, may_execute: bool = False, uses_devices: bool = False) -> None:
    """Install the filter in all threads of this process; raise OSError on failure.

    With ``read_only`` no file can be opened for writing or renamed, created or removed by its name. With
    ``may_execute`` the process can become another program, under the same filter. Landlock decides which. With
    ``uses_devices`` it can send any request to a device (ioctl) and listen to the kernel's messages about devices.
    """
    architecture = native_architecture()
    program = filter_program(
        architecture, os.getpid(), read_only=read_only, may_execute=may_execute, uses_devices=uses_devices
    )
    code = ctypes.create_string_buffer(b"".join(struct.pack("<HBBI", *each) for each in program))
    # struct sock_fprog: a short, padding, a pointer
    header = ctypes.create_string_buffer(struct.pack("<H6xQ", len(program), ctypes.addressof(code)))
    prctl(_NO_NEW_PRIVILEGES, 1)
    if call(RESTRICT.of(architecture)["seccomp"], _SET_MODE_FILTER, _TSYNC | _SPEC_ALLOW, header):
        raise OSError(errno.EBUSY, "a thread has its own filter")


def filter_program(
    architecture: str, process: int, *, read_only: bool, may_execute: bool = False, uses_devices: bool = False
) -> list[Instruction]:
    """Return the filter for a process of this id, as instructions of classic BPF."""
    checked, changes = CHECKED.of(architecture), FILE_CHANGES.of(architecture)
    if uses_devices:
        checked = checked | DEVICE_MESSAGES.of(architecture)
    program = [
        (_LOAD, 0, 0, _ARCHITECTURE_AT),
        (_IF_EQUAL, 1, 0, _AUDIT_ARCHITECTURE[architecture]),
        _refused(errno.EPERM),
        (_LOAD, 0, 0, _NUMBER_AT),
        # higher numbers are newer than this list, or those of the x32 interface
        (_IF_ABOVE, 0, 1, HIGHEST),
        _refused(errno.ENOSYS),
    ]
    for number in ABSENT.of(architecture).values():
        program += _if_number(number, [_refused(errno.ENOSYS)])
    for name, check in _checks(process, read_only=read_only, uses_devices=uses_devices).items():
        if name in checked:
            program += _if_number(checked[name], check)
    allowed = set(ALLOWED.of(architecture).values())
    if not read_only:
        allowed |= set(changes.values())
    if may_execute:
        allowed |= set(EXECUTE.of(architecture).values())
    for first, last in _ranges(allowed):
        program += [
            (_IF_ABOVE, 3, 0, last),
            (_IF_AT_LEAST, 0, 1, first),
            (_RETURN, 0, 0, _ALLOW),
            _refused(errno.EPERM),
        ]
    return [*program, _refused(errno.EPERM)]


def _checks(process: int, *, read_only: bool, uses_devices: bool) -> dict[str, list[Instruction]]:
    """Return the checks of arguments by the name of the call; the kernel uses only the low words of these."""
    own_process = _one_of(0, (process,))
    return {
        "open": _open(1, read_only=read_only),
        "openat": _open(2, read_only=read_only),
        # threads only, in the namespaces of this process
        "clone": _one_of(0, (_CLONE_THREAD,), mask=_CLONE_THREAD | _CLONE_NAMESPACES),
        "kill": own_process,
        "tgkill": own_process,
        "prlimit64": _one_of(0, (0, process)),
        "setpriority": _one_of(1, (0,)),
        "fcntl": _one_of(1, _FCNTL),
        "ioctl": [(_RETURN, 0, 0, _ALLOW)] if uses_devices else _one_of(1, _IOCTL),
        "prctl": [
            (_LOAD, 0, 0, _ARGUMENTS_AT),
            # the signal at the parent's end may be set, but not cleared
            (_IF_EQUAL, 0, 4, _PR_SET_PDEATHSIG),
            *_one_of(1, (_SIGKILL,)),
            *_one_of(0, _PRCTL),
        ],
        "socket": [
            (_LOAD, 0, 0, _ARGUMENTS_AT),
            # sockets of no other family, so that the calls below have no others
            (_IF_EQUAL, 1, 0, _AF_NETLINK),
            _refused(errno.EPERM),
            *_one_of(2, (_NETLINK_KOBJECT_UEVENT,)),
        ],
        **{name: [(_RETURN, 0, 0, _ALLOW)] for name in ("bind", "getsockname", "recvmsg", "setsockopt")},
    }


def _open(argument: int, *, read_only: bool) -> list[Instruction]:
    """Allow opening by flags. Truncation without writing is refused: Landlock before version 3 does not see it."""
    if read_only:
        return _one_of(argument, (0,), mask=_O_ACCESS_MODE | _O_CREATE | _O_TRUNCATE)
    written = tuple(_O_TRUNCATE | mode for mode in (1, 2))
    return _one_of(argument, (0, 1, 2, 3, *written), mask=_O_ACCESS_MODE | _O_TRUNCATE)


def _one_of(argument: int, values: Iterable[int], mask: int = 0) -> list[Instruction]:
    """Allow the call if the low word of an argument, after AND with ``mask``, is one of these values."""
    load: list[Instruction] = [(_LOAD, 0, 0, _ARGUMENTS_AT + 8 * argument)]
    if mask:
        load.append((_AND, 0, 0, mask))
    tests = [each for value in values for each in ((_IF_EQUAL, 0, 1, value), (_RETURN, 0, 0, _ALLOW))]
    return [*load, *tests, _refused(errno.EPERM)]


def _if_number(number: int, body: list[Instruction]) -> list[Instruction]:
    """Return the body, which ends the filter, for the call of this number; otherwise it is skipped."""
    return [(_IF_EQUAL, 0, len(body), number), *body]


def _refused(code: int) -> Instruction:
    return _RETURN, 0, 0, _ERROR | code


def _ranges(numbers: set[int]) -> Iterator[tuple[int, int]]:
    """Yield the ranges of consecutive numbers, in ascending order."""
    first = last = -1
    for number in sorted(numbers):
        if first >= 0 and number == last + 1:
            last = number
            continue
        if first >= 0:
            yield first, last
        first = last = number
    if first >= 0:
        yield first, last
