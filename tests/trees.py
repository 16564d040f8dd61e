"""System files of other machines, as far as edge-bench reads them: a Pi 4, a Pi 5, a laptop, containers."""

from collections.abc import Sequence
from pathlib import Path

CPUFREQ = "sys/devices/system/cpu/cpu0/cpufreq"
FIRMWARE = "sys/devices/platform/soc/soc:firmware/get_throttled"
#: Of ai-edge-litert 2.1.6 to 2.3.0.
LITERT_GPU_FEATURES = ("aes", "lse", "crc", "dotprod", "fp16", "rdm", "rcpc", "sha2")
STAT = "cpu  {busy} 0 0 90000 10 0 0 {steal} 0 0\ncpu0 1 0 0 1 0 0 0 0 0 0\n"


def write(root: Path, files: dict[str, str]) -> Path:
    """Write files below ``root``, and return ``root``."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def arm_cpuinfo(part: str, model: str, features: str = "fp asimd evtstrm crc32 cpuid") -> str:
    """Return the /proc/cpuinfo of a Raspberry Pi with four cores."""
    core = (
        f"processor\t: {{n}}\nBogoMIPS\t: 108.00\nFeatures\t: {features}\n"
        "CPU implementer\t: 0x41\nCPU architecture: 8\nCPU variant\t: 0x0\nCPU part\t: {part}\nCPU revision\t: 3\n\n"
    )
    cores = "".join(core.format(n=n, part=part) for n in range(4))
    return f"{cores}Revision\t: c03115\nSerial\t\t: 100000001234abcd\nModel\t\t: {model}\n"


def raspberry_pi_4(root: Path, *, governor: str = "ondemand", throttled: str = "0", temperature: int = 52_582) -> Path:
    """Write the files of a Pi 4 with an unchanged Raspberry Pi OS (64-bit)."""
    model = "Raspberry Pi 4 Model B Rev 1.5"
    return write(
        root,
        {
            "proc/cpuinfo": arm_cpuinfo("0xd08", model),
            "proc/device-tree/model": f"{model}\0",
            "proc/meminfo": "MemTotal:        3885396 kB\nMemFree:         2811568 kB\nMemAvailable:    3443116 kB\n",
            "proc/loadavg": "0.08 0.03 0.01 1/180 1234\n",
            "proc/stat": STAT.format(busy=5_000, steal=0),
            "proc/sys/kernel/hostname": "pi4\n",
            "proc/sys/kernel/osrelease": "6.12.25+rpt-rpi-v8\n",
            "etc/os-release": 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n',
            f"{CPUFREQ}/scaling_governor": f"{governor}\n",
            f"{CPUFREQ}/cpuinfo_max_freq": "1800000\n",
            f"{CPUFREQ}/scaling_cur_freq": "1500000\n",
            "sys/devices/system/cpu/cpu1/cpufreq/scaling_cur_freq": "600000\n",
            "sys/class/thermal/thermal_zone0/temp": f"{temperature}\n",
            FIRMWARE: f"{throttled}\n",
        },
    )


def raspberry_pi_5(root: Path) -> Path:
    """Write the files of a Pi 5 with an active cooler and the governor ``performance``."""
    raspberry_pi_4(root, governor="performance", temperature=48_200)
    model = "Raspberry Pi 5 Model B Rev 1.0"
    features = "fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp"
    return write(
        root,
        {
            "proc/cpuinfo": arm_cpuinfo("0xd0b", model, features),
            "proc/device-tree/model": f"{model}\0",
            f"{CPUFREQ}/cpuinfo_max_freq": "2400000\n",
        },
    )


def litert_gpu_library(path: Path, features: Sequence[str] = LITERT_GPU_FEATURES) -> Path:
    """Write a file with the messages by which LiteRT's GPU library for arm64 states the CPU features that it needs."""
    messages = [
        f"FATAL ERROR: This binary was compiled with {name} enabled, but this feature is not available on this "
        "processor (go/sigill-fail-fast).\n"
        for name in features
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\x7fELF" + bytes(1 << 16) + "\0".join(messages).encode() + bytes(100))
    return path


def laptop_on_battery(root: Path) -> Path:
    """Write the files of an Intel laptop on battery; one thermal zone is switched off."""
    return write(
        root,
        {
            "proc/cpuinfo": "processor\t: 0\nvendor_id\t: GenuineIntel\nmodel name\t: Intel(R) Core(TM) i7-1165G7\n",
            "proc/meminfo": "MemTotal:       16085612 kB\nMemAvailable:    9000000 kB\n",
            f"{CPUFREQ}/scaling_governor": "powersave\n",
            f"{CPUFREQ}/cpuinfo_max_freq": "4700000\n",
            "sys/class/power_supply/AC/online": "0\n",
            "sys/class/power_supply/BAT0/status": "Discharging\n",
            "sys/class/thermal/thermal_zone0/temp": "61000\n",
            "sys/class/thermal/thermal_zone1/temp": "\n",
            "sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count": "7\n",
            "sys/devices/system/cpu/cpu0/thermal_throttle/package_throttle_count": "5\n",
        },
    )


def container(root: Path, *, version: int, quota: str, period: str = "100000", throttled: int = 0) -> Path:
    """Write the files of a container with a CPU limit, in cgroups version 1 or 2."""
    stat = f"nr_periods 100\nnr_throttled {throttled}\n"
    limits = {
        1: {"cpu/cpu.cfs_quota_us": f"{quota}\n", "cpu/cpu.cfs_period_us": f"{period}\n", "cpu/cpu.stat": stat},
        2: {"cpu.max": f"{quota} {period}\n", "cpu.stat": f"usage_usec 1\n{stat}"},
    }
    files = {f"sys/fs/cgroup/{name}": text for name, text in limits[version].items()}
    return write(root, files | {".dockerenv": "", "proc/meminfo": "MemTotal: 8000000 kB\nMemAvailable: 7000000 kB\n"})
