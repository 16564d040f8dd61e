"""What a hostile native library can do in a worker: a delegate that the tests compile tries to get out of the sandbox.

The worker, its sandbox, the library and the kernel are real. Attempts return 0 if they worked, otherwise their errno.
"""

import errno
import os
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from edge_bench.bench.runtimes import RUNTIMES, installed_version
from edge_bench.bench.sandbox.launch import Access
from edge_bench.bench.sandbox.support import Support, sandbox_support
from edge_bench.bench.worker.process import WorkerProcess

NATIVE = Path(__file__).parent / "native"
COMPILER = shutil.which("cc") or shutil.which("gcc")
pytestmark = [
    pytest.mark.skipif(COMPILER is None, reason="no C compiler, which the hostile library needs"),
    pytest.mark.skipif(not sandbox_support().active, reason="this kernel offers no Landlock or no seccomp"),
]
#: The last two are a container's: read-only folders, and an overlay without files that have no name.
REFUSED = {errno.EPERM, errno.EACCES, errno.ENOSYS, errno.EXDEV, errno.EROFS, errno.EOPNOTSUPP}
#: Attempts that work without a sandbox on any Linux machine, so that their refusal means something.
HARMLESS = (
    "create", "append", "make_folder", "change_mode", "change_mode_of_model", "change_times", "read_key", "list_keys",
    "read_outside", "read_passwords", "read_environment_of_parent", "connect_tcp", "connect_unix", "socket_pair",
    "fork_it", "fork_by_clone", "spawn", "shell", "signal_parent", "signal_by_tkill",
    "signal_by_pipe", "outlive_parent", "limit_parent",
)  # fmt: skip
#: Attempts at files, which only Landlock can tell from the worker's own.
READS = {
    "read_key", "list_keys", "list_home", "read_outside", "read_passwords", "read_environment_of_parent",
    "read_memory_of_parent", "read_through_root", "open_kernel_log",
}  # fmt: skip
#: Packages with an interpreter that loads libraries as delegates.
LIBRARIES = [RUNTIMES[name].library for name in ("tflite-runtime", "litert") if installed_version(RUNTIMES[name])]


class Report(msgspec.Struct, frozen=True, tag=True):
    """The errno of each attempt, a line each."""

    text: str


Attack = Callable[..., dict[str, int]]


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The hostile library, in a folder with the worker that loads it."""
    folder = tmp_path_factory.mktemp("native")
    shutil.copy(NATIVE / "attacking_worker.py", folder)
    file = folder / "attacks.so"
    subprocess.run(
        [str(COMPILER), "-shared", "-fPIC", NATIVE / "attacks.c", "-o", file, "-lpthread"], check=True, timeout=60
    )
    return file


@pytest.fixture
def victim(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home with a key, a folder of files, and servers: all that the library must not reach."""
    (tmp_path / "home/.ssh").mkdir(parents=True)
    (tmp_path / "home/.ssh/key").write_text("secret")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/file").write_text("content")
    (tmp_path / "model").write_text("a model")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("OUTSIDE", str(tmp_path / "outside"))
    monkeypatch.setenv("MODEL", str(tmp_path / "model"))
    monkeypatch.setenv("SOCKET", str(tmp_path / "socket"))
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket(socket.AF_UNIX) as named:
        named.bind(str(tmp_path / "socket"))
        named.listen()
        monkeypatch.setenv("PORT", str(server.getsockname()[1]))
        yield tmp_path


@pytest.fixture
def attack(library: Path, victim: Path, monkeypatch: pytest.MonkeyPatch) -> Attack:
    """Return a function that runs the attempts in a worker and returns the errno of each."""
    monkeypatch.setenv("PYTHONPATH", str(library.parent))

    def run(runtime: str = "-", *, sandboxed: bool = True, only: tuple[str, ...] = ()) -> dict[str, int]:
        monkeypatch.setenv("ONLY", f",{','.join(only)}," if only else "")
        access = Access(read=[victim / "model"]) if sandboxed else None
        arguments = [str(library), runtime]
        with WorkerProcess.spawn("attacking_worker", arguments, Report, access) as worker:
            lines = worker.wait_for(Report, 60).text.split()
        codes = {name: int(code) for name, code in zip(lines[::2], lines[1::2], strict=True)}
        if not Path("/dev/kmsg").exists():  # in a container
            del codes["open_kernel_log"]
        return codes

    return run


def intact(victim: Path) -> bool:
    """Return whether the victim's files are as they were."""
    file = victim / "outside/file"
    return (
        [path.name for path in (victim / "outside").iterdir()] == ["file"]
        and file.read_text() == "content"
        and file.stat().st_mode & 0o777 == 0o666 & ~_umask()
        and (victim / "model").read_text() == "a model"
        and (victim / "model").stat().st_mode & 0o777 == 0o666 & ~_umask()
        and (victim / "home/.ssh/key").stat().st_nlink == 1
    )


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


@pytest.mark.parametrize("runtime", ["-", *LIBRARIES])
def test_every_attempt_of_a_hostile_library_is_refused(attack: Attack, victim: Path, runtime: str) -> None:
    codes = attack(runtime)
    assert len(codes) > 80
    assert {name: code for name, code in codes.items() if code not in REFUSED} == {}
    assert intact(victim)


def test_the_same_attempts_work_without_the_sandbox(attack: Attack, victim: Path) -> None:
    codes = attack(sandboxed=False, only=HARMLESS)
    assert {name: code for name, code in codes.items() if code > 0} == {}
    assert sum(code == 0 for code in codes.values()) == len(HARMLESS)
    assert not intact(victim)


def test_without_landlock_files_can_be_read_but_nothing_else(
    attack: Attack, victim: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    support = Support(0, seccomp=True)
    monkeypatch.setattr("edge_bench.bench.worker.process.sandbox_support", lambda: support)
    codes = attack()
    assert {name for name, code in codes.items() if code not in REFUSED} <= READS
    assert codes["read_key"] == 0
    assert intact(victim)


def test_without_seccomp_files_and_programs_are_still_refused(
    attack: Attack, victim: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    support = Support(sandbox_support().landlock, seccomp=False)
    monkeypatch.setattr("edge_bench.bench.worker.process.sandbox_support", lambda: support)
    files = ("create", "overwrite", "append", "make_folder", "remove_file", "rename_file", "take_file", "link_private",
             "read_through_link", "make_device", "execute", *READS)  # fmt: skip
    codes = attack(only=files)
    assert {name for name in files if codes[name] not in REFUSED} == set()
    assert intact(victim)


@pytest.mark.slow
def test_older_landlock_is_used_as_far_as_it_goes(
    attack: Attack, victim: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Version 1 knows no truncation and no signals, which the filter of system calls refuses."""
    for version in range(1, sandbox_support().landlock + 1):
        support = Support(version, seccomp=True)
        monkeypatch.setattr("edge_bench.bench.worker.process.sandbox_support", lambda support=support: support)
        codes = attack()
        assert {name: code for name, code in codes.items() if code not in REFUSED} == {}, version
        assert intact(victim)
