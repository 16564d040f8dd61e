"""Recorded machines that can be tuned, and what their kernels do when a setting is written."""

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from edge_bench.bench.system.cores import core_list, cores_in
from edge_bench.bench.system.tuning.kernel_files import KernelFiles
from tests import trees

BOOT = "proc/sys/kernel/random/boot_id"
CPU = "sys/devices/system/cpu"
SWAPPINESS = "proc/sys/vm/swappiness"
_SWAP = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n/var/swap               file\t\t102396\t\t0\t\t-2\n"
#: Interrupts of the kernel itself, which cannot be moved.
STUCK = (0, 2)
#: Tunables that a governor has after it was selected anew.
_DEFAULTS = {
    "ondemand": {"up_threshold": "95\n", "sampling_down_factor": "1\n", "sampling_rate": "10000\n"},
    "schedutil": {"rate_limit_us": "10000\n"},
}


def _common(root: Path, cores: int, interrupts: dict[int, str]) -> Path:
    files = {
        f"{CPU}/online": f"0-{cores - 1}\n",
        BOOT: "3b2c1f0e-0001-4c1d-8a51-1f2e3d4c5b6a\n",
        "proc/swaps": _SWAP,
        SWAPPINESS: "60\n",
    }
    files |= {f"proc/irq/{number}/smp_affinity_list": f"{affinity}\n" for number, affinity in interrupts.items()}
    (root / "var/lib").mkdir(parents=True, exist_ok=True)
    return trees.write(root, files)


def _policies(root: Path, policies: dict[int, list[int]], files: dict[str, str]) -> None:
    """Write the folder of each policy, and a link to it for each of its cores."""
    for policy, cores in policies.items():
        folder = f"{CPU}/cpufreq/policy{policy}"
        trees.write(root, {f"{folder}/{name}": text for name, text in files.items()})
        for core in cores:
            link = root / f"{CPU}/cpu{core}/cpufreq"
            if link.is_dir() and not link.is_symlink():
                shutil.rmtree(link)
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(f"../cpufreq/policy{policy}")


def pi_4(root: Path) -> Path:
    """A Pi 4 with Raspberry Pi OS, which sets the tunables of ondemand at its start."""
    trees.raspberry_pi_4(root)
    governors = "conservative ondemand userspace powersave performance schedutil \n"
    _policies(
        root, {0: [0, 1, 2, 3]}, {"scaling_governor": "ondemand\n", "scaling_available_governors": governors,
                                  "scaling_setspeed": "<unsupported>\n"},
    )  # fmt: skip
    tunables = {"up_threshold": "50\n", "sampling_down_factor": "50\n", "sampling_rate": "100000\n"}
    trees.write(root, {f"{CPU}/cpufreq/ondemand/{name}": text for name, text in tunables.items()})
    return _common(root, 4, {0: "0-3", 9: "0-3", 11: "0-3", 31: "0-3", 35: "2", 39: "1-2"})


def pi_5(root: Path) -> Path:
    """A Pi 5, whose tunables belong to its policy, and whose swap is off."""
    trees.raspberry_pi_5(root)
    _policies(root, {0: [0, 1, 2, 3]}, {"scaling_governor": "schedutil\n", "schedutil/rate_limit_us": "500\n"})
    _common(root, 4, {9: "0-3", 160: "0-3"})
    return trees.write(root, {"proc/swaps": _SWAP.splitlines(keepends=True)[0]})


def laptop(root: Path) -> Path:
    """A laptop with intel_pstate and an energy preference, without hyper-threading."""
    trees.laptop_on_battery(root)
    _policies(
        root, {core: [core] for core in range(4)},
        {"scaling_governor": "powersave\n", "scaling_available_governors": "performance powersave\n",
         "energy_performance_preference": "balance_performance\n"},
    )  # fmt: skip
    trees.write(root, {f"{CPU}/intel_pstate/no_turbo": "0\n"})
    return _common(root, 4, {0: "0-3", 2: "0-3", 24: "0-3", 131: "3", 140: "0-1,3"})


def amd_desktop(root: Path) -> Path:
    """A desktop whose boost can be set for all cores and for each; it is off for core 1."""
    trees.write(root, {"proc/cpuinfo": "processor\t: 0\nmodel name\t: AMD Ryzen\n"})
    _policies(root, {0: [0], 1: [1]}, {"scaling_governor": "performance\n", "boost": "1\n"})
    trees.write(root, {f"{CPU}/cpufreq/boost": "1\n", f"{CPU}/cpufreq/policy1/boost": "0\n"})
    return _common(root, 2, {})


def big_little(root: Path) -> Path:
    """A board with four slow and four fast cores in three policies."""
    trees.write(root, {f"{CPU}/cpu{core}/cpu_capacity": f"{530 if core < 4 else 1024}\n" for core in range(8)})
    _policies(
        root, {0: [0, 1, 2, 3], 4: [4, 5], 6: [6, 7]},
        {"scaling_governor": "schedutil\n", "schedutil/rate_limit_us": "2000\n"},
    )  # fmt: skip
    return _common(root, 8, {30: "0-7", 31: "4-7", 32: "1"})


MACHINES = {make.__name__: make for make in (pi_4, pi_5, laptop, amd_desktop, big_little)}


def contents(root: Path) -> dict[str, bytes]:
    """Return the content of every file, the target of every link, and every folder, by path."""
    found: dict[str, bytes] = {}
    for path in sorted(root.rglob("*")):
        name = str(path.relative_to(root))
        if path.is_symlink():
            found[name] = os.fsencode(path.readlink())
        else:
            found[name] = b"" if path.is_dir() else path.read_bytes()
    return found


class FakeKernel(KernelFiles):
    """Files that react to writes as a kernel does: it refuses values, and changes files that depend on a setting."""

    #: Called before and after every write, which is one operation.
    point: Callable[[], None] = staticmethod(lambda: None)

    def write(self, path: str, content: bytes) -> None:
        FakeKernel.point()
        self._write(path, content)
        FakeKernel.point()

    def _write(self, path: str, content: bytes) -> None:
        name, text = path.rpartition("/")[2], content.decode().strip()
        if name == "scaling_governor":
            self._check(text in (self.text(path.replace(name, "scaling_available_governors")) or text).split())
        elif name == "energy_performance_preference":
            self._check(self.text(path.replace(name, "scaling_governor")) != "performance", errno.EBUSY)
        elif name == "smp_affinity_list":
            self._check(int(path.split("/")[2]) not in STUCK, errno.EIO)
            content = f"{core_list(cores_in(text))}\n".encode()
        else:
            self._check((self.root / path).exists(), errno.ENOENT)
        before = self.text(path)
        super().write(path, content)
        if name == "scaling_governor" and before != text:
            self._governor_changed(path, before, text)
        if path == f"{CPU}/cpufreq/boost":
            for each in self.root.glob(f"{CPU}/cpufreq/policy*/boost"):
                each.write_bytes(content)

    @staticmethod
    def _check(allowed: bool, code: int = errno.EINVAL) -> None:
        if not allowed:
            raise OSError(code, os.strerror(code))

    def _governor_changed(self, path: str, before: str, after: str) -> None:
        policy = (self.root / path).parent
        shared = before == "ondemand" or after == "ondemand"
        where = policy.parent if shared else policy
        if before in _DEFAULTS:
            shutil.rmtree(where / before, ignore_errors=True)
        if after in _DEFAULTS:
            trees.write(where / after, _DEFAULTS[after])
        preference = policy / "energy_performance_preference"
        if preference.exists():
            preference.write_text("performance\n" if after == "performance" else "balance_power\n")
