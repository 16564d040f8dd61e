"""The filter of system calls, run by a small interpreter of classic BPF, for both architectures."""

import errno
import struct

import pytest

from edge_bench.bench.sandbox.seccomp import Instruction, filter_program
from edge_bench.bench.sandbox.syscalls import ABSENT, ALLOWED, CHECKED, DEVICE_MESSAGES, FILE_CHANGES

ALLOW = 0
AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
PID = 4242
#: Calls that no worker may make, with any arguments, by their number on x86_64 and aarch64.
FORBIDDEN = {
    "socket": (41, 198), "connect": (42, 203), "sendto": (44, 206), "socketpair": (53, 199), "execve": (59, 221),
    "ptrace": (101, 117), "chmod": (90, 52), "mount": (165, 40), "setns": (308, 268), "bpf": (321, 280),
    "userfaultfd": (323, 282), "execveat": (322, 281), "process_vm_readv": (310, 270), "tkill": (200, 130),
    "rt_sigqueueinfo": (129, 138), "keyctl": (250, 219), "unshare": (272, 97), "io_uring_setup": (425, 425),
    "pidfd_open": (434, 434), "pidfd_send_signal": (424, 424), "perf_event_open": (298, 241), "truncate": (76, 45),
    "setxattr": (188, 5), "utimensat": (280, 88), "seccomp": (317, 277), "landlock_restrict_self": (446, 446),
}  # fmt: skip


def decision(program: list[Instruction], architecture: int, number: int, *arguments: int) -> int:
    """Return 0 if the filter allows the call, otherwise the errno."""
    values = [*arguments, *[0] * (6 - len(arguments))]
    data = struct.pack("<IIQ6Q", number, architecture, 0, *(value & (1 << 64) - 1 for value in values))
    accumulator, place = 0, 0
    while True:
        code, if_true, if_false, constant = program[place]
        place += 1
        match code:
            case 0x20:
                (accumulator,) = struct.unpack_from("<I", data, constant)
            case 0x54:
                accumulator &= constant
            case 0x15:
                place += if_true if accumulator == constant else if_false
            case 0x25:
                place += if_true if accumulator > constant else if_false
            case 0x35:
                place += if_true if accumulator >= constant else if_false
            case 0x06:
                return ALLOW if constant == 0x7FFF0000 else constant & 0xFFFF
            case _:
                raise AssertionError(hex(code))


class Filter:
    """A filter and the numbers of its architecture."""

    def __init__(self, architecture: str, *, read_only: bool = False, uses_devices: bool = False) -> None:
        self.architecture = architecture
        self.program = filter_program(architecture, PID, read_only=read_only, uses_devices=uses_devices)

    def of(self, name: str, *arguments: int) -> int:
        """Return the decision about a call by its name."""
        for table in (ALLOWED, CHECKED, FILE_CHANGES, ABSENT, DEVICE_MESSAGES):
            if name in table.of(self.architecture):
                return self.number(table.of(self.architecture)[name], *arguments)
        raise KeyError(name)

    def number(self, number: int, *arguments: int) -> int:
        """Return the decision about a call by its number."""
        return decision(self.program, AUDIT[self.architecture], number, *arguments)


@pytest.fixture(params=sorted(AUDIT))
def worker(request: pytest.FixtureRequest) -> Filter:
    """The filter of a worker whose files Landlock restricts."""
    return Filter(request.param)


def test_a_filter_is_short_enough_for_the_kernel_and_every_jump_stays_in_it(worker: Filter) -> None:
    assert len(worker.program) <= 4096
    for place, (code, if_true, if_false, _) in enumerate(worker.program):
        assert 0 <= if_true <= 255
        assert 0 <= if_false <= 255
        if code & 0x07 == 0x05:
            assert place + 1 + max(if_true, if_false) < len(worker.program)


def test_everything_that_a_runtime_needs_is_allowed(worker: Filter) -> None:
    for name in ALLOWED.of(worker.architecture):
        assert worker.of(name, 1, 2, 3) == ALLOW, name


def test_forbidden_calls_fail_whatever_their_arguments(worker: Filter) -> None:
    column = sorted(AUDIT, reverse=True).index(worker.architecture)
    for name, numbers in FORBIDDEN.items():
        for arguments in ((), (PID,), (-1, 1, 1)):
            assert worker.number(numbers[column], *arguments) == errno.EPERM, name


def test_calls_of_other_interfaces_are_refused(worker: Filter) -> None:
    """32-bit x86, x32, and the other architecture have other numbers for the same calls."""
    for other in (0x40000003, 0x40000028, *(value for name, value in AUDIT.items() if name != worker.architecture)):
        for number in range(0, 500):
            assert decision(worker.program, other, number) == errno.EPERM
    for number in (0x40000000, 0x40000000 | 59, 470, 1000, 0xFFFFFFFF):
        assert worker.number(number) == errno.ENOSYS


def test_threads_can_be_started_but_no_process_and_no_namespace(worker: Filter) -> None:
    threads = 0x3D0F00  # of glibc's pthread_create
    assert worker.of("clone", threads) == ALLOW
    for flags in (17, 0x4111, 0x1200011, threads | 0x40000000, threads | 0x20000, threads | 0x10000000):
        assert worker.of("clone", flags) == errno.EPERM, hex(flags)
    assert worker.of("clone3", 0, 88) == errno.ENOSYS


def test_signals_go_to_the_own_process_only(worker: Filter) -> None:
    for name in ("kill", "tgkill"):
        assert worker.of(name, PID, 6) == ALLOW
        for target in (0, 1, -1, -PID, PID + 1):
            assert worker.of(name, target, 6) == errno.EPERM
    assert worker.of("prctl", 1, 9) == ALLOW  # end with the parent
    assert worker.of("prctl", 1, 0) == errno.EPERM
    assert worker.of("prctl", 22, 0) == errno.EPERM
    assert [worker.of("fcntl", 3, command) for command in (1, 2, 3, 4)] == [ALLOW] * 4
    assert [worker.of("fcntl", 3, command) for command in (8, 10, 15)] == [errno.EPERM] * 3
    assert worker.of("ioctl", 0, 0x5401) == ALLOW
    assert worker.of("ioctl", 0, 0x5412) == errno.EPERM


@pytest.mark.parametrize("architecture", sorted(AUDIT))
def test_files_are_opened_by_their_flags(architecture: str) -> None:
    read, write, create, truncate = 0, 1, 0o101, 0o1000
    usual, strict = Filter(architecture), Filter(architecture, read_only=True)
    decisions = {flags: (usual.of("openat", -100, 0, flags), strict.of("openat", -100, 0, flags))
                 for flags in (read | 0o2000000, write, 2, create | truncate, truncate, 3 | truncate)}  # fmt: skip
    assert decisions == {
        read | 0o2000000: (ALLOW, ALLOW), write: (ALLOW, errno.EPERM), 2: (ALLOW, errno.EPERM),
        create | truncate: (ALLOW, errno.EPERM), truncate: (errno.EPERM, errno.EPERM),
        3 | truncate: (errno.EPERM, errno.EPERM),
    }  # fmt: skip
    for name in FILE_CHANGES.of(architecture):
        assert (usual.of(name), strict.of(name)) == (ALLOW, errno.EPERM), name


@pytest.mark.parametrize("architecture", sorted(AUDIT))
def test_with_devices_only_requests_to_these_and_the_kernels_messages_about_them_are_allowed(architecture: str) -> None:
    usual, with_devices = Filter(architecture), Filter(architecture, uses_devices=True)
    usb_request, netlink, unix, internet = 0x8038550A, 16, 1, 2
    assert usual.of("ioctl", 3, usb_request) == errno.EPERM
    assert with_devices.of("ioctl", 3, usb_request) == ALLOW
    column = sorted(AUDIT, reverse=True).index(architecture)
    socket = FORBIDDEN["socket"][column]
    assert with_devices.number(socket, netlink, 3, 15) == ALLOW
    for family, protocol in ((netlink, 0), (netlink, 16), (unix, 0), (internet, 15)):
        assert with_devices.number(socket, family, 3, protocol) == errno.EPERM
    assert with_devices.of("recvmsg", 3) == ALLOW
    assert usual.of("recvmsg", 3) == errno.EPERM
    for name, numbers in FORBIDDEN.items():
        if name != "socket":
            assert with_devices.number(numbers[column], 3) == errno.EPERM, name
