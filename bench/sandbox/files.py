"""The files that a process needs besides its model: Python, libraries, and the machine's files that these read."""

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from edge_bench.bench.io.python_process import PACKAGE

__all__ = ["program_loaders", "system_reads", "system_writes"]

#: Software, which any user may read. Nix and Guix have their own folders for it.
_SOFTWARE = ("/usr", "/lib", "/lib32", "/lib64", "/libx32", "/opt", "/nix/store", "/gnu/store")
#: Their names are fixed by the ABIs of the architectures.
_LOADERS = ("/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1")
#: Single files of /etc, the rest of which is private: the linker's, the time zone, settings of OpenSSL.
_SETTINGS = (
    "/etc/ld.so.cache", "/etc/ld.so.preload", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/localtime",
    "/etc/timezone", "/etc/os-release", "/etc/ssl/openssl.cnf", "/etc/pki/tls/openssl.cnf",
    "/etc/crypto-policies/back-ends",
)  # fmt: skip
#: This process and totals of the machine, but no other process.
_MACHINE = (
    "/proc/self", "/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/proc/loadavg", "/proc/uptime", "/proc/version",
    "/proc/filesystems", "/proc/sys/vm", "/proc/sys/kernel/osrelease", "/proc/sys/kernel/pid_max",
    "/proc/sys/kernel/threads-max", "/proc/sys/kernel/cap_last_cap", "/sys/devices/system", "/sys/fs/cgroup",
    "/sys/kernel/mm/transparent_hugepage", "/sys/kernel/mm/hugepages", "/dev/zero", "/dev/random", "/dev/urandom",
)  # fmt: skip


def system_reads() -> list[Path]:
    """Return the files and folders to read. None of them contains the home directory."""
    paths = [*map(Path, (*_SOFTWARE, *_SETTINGS, *_MACHINE)), *_python(), *_libraries(), *_settings_of_libraries()]
    home = os.path.realpath(_home())
    return [part for path in dict.fromkeys(paths) for part in _without(path, home)]


def system_writes() -> list[Path]:
    """Return the writable files that store nothing."""
    return [Path(os.devnull)]


def program_loaders() -> list[Path]:
    """Return the dynamic loaders, which the kernel executes for a program with shared libraries."""
    return [path for path in map(Path, _LOADERS) if path.exists()]


def _python() -> Iterator[Path]:
    """Yield Python's own folders, its import folders, and this package, whose folders may be links."""
    for prefix in {sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix}:
        # not the prefix itself, which may be a project's folder, or even the home directory
        for name in ("lib", "lib64", "bin", "share", "pyvenv.cfg"):
            yield Path(prefix, name)
    yield Path(os.path.realpath(sys.executable))
    yield from (PACKAGE, PACKAGE / "app", PACKAGE / "bench")
    # not the folder of a checkout or of the user's script, which may contain anything; workers import nothing from it
    checkout = PACKAGE.parent if (PACKAGE.parent / "pyproject.toml").exists() else None
    script = getattr(sys.modules.get("__main__"), "__file__", None)
    private = (checkout, None if script is None else Path(script).absolute().parent)
    yield from (Path(entry) for entry in sys.path if entry and Path(entry) not in private)


def _libraries() -> Iterator[Path]:
    yield from (Path(entry) for entry in os.environ.get("LD_LIBRARY_PATH", "").split(os.pathsep) if entry)


def _settings_of_libraries() -> Iterator[Path]:
    """Yield the files that Keras reads when it is imported: its keras.json, and a list of fonts through matplotlib.

    Importing Keras fails if the first exists and cannot be read. Without the second, matplotlib searches all fonts.
    """
    for folder in (os.environ.get("KERAS_HOME", ""), _home(".keras"), "/tmp/.keras"):  # noqa: S108
        file = Path(folder, "keras.json")
        if folder and file.is_file() and not file.is_symlink():
            yield file
    if own := os.environ.get("MPLCONFIGDIR"):
        yield Path(own)
    yield Path(os.environ.get("XDG_CACHE_HOME") or _home(".cache"), "matplotlib")
    yield Path(os.environ.get("XDG_CONFIG_HOME") or _home(".config"), "matplotlib")


def _home(*names: str) -> str:
    return str(Path(os.path.expanduser("~"), *names))  # noqa: PTH111 - Path.expanduser raises if there is none


def _without(path: Path, home: str) -> Iterator[Path]:
    """Yield the path. If it contains the home directory, yield its other contents instead."""
    real = os.path.realpath(path)
    if home == real:
        return
    if os.path.commonpath([home, real]) != real:
        yield path
        return
    with contextlib.suppress(OSError):
        for inside in Path(real).iterdir():
            yield from _without(inside, home)
