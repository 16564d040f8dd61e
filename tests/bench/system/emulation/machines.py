"""Files of real, virtual and emulated machines, as far as the detection of emulation reads them.

Those of `tcg` were read on such a machine; the others are written from what is published about theirs.
"""

from pathlib import Path

from tests import trees

FW_CFG = "MODALIAS=of:Nfw-cfgT(null)Cqemu,fw-cfg-mmio\nOF_COMPATIBLE_0=qemu,fw-cfg-mmio\n"
DMI = "sys/class/dmi/id/sys_vendor"


def arm(root: Path, bogomips: str, implementer: str, part: str, **others: str) -> Path:
    """Write the /proc/cpuinfo of an arm64 machine with two cores, and other files."""
    core = (
        f"processor\t: {{n}}\nBogoMIPS\t: {bogomips}\nFeatures\t: fp asimd evtstrm crc32 cpuid\n"
        f"CPU implementer\t: {implementer}\nCPU architecture: 8\nCPU variant\t: 0x0\nCPU part\t: {part}\n"
        "CPU revision\t: 3\n\n"
    )
    files = {"proc/cpuinfo": "".join(core.format(n=n) for n in range(2)), **others}
    return trees.write(root, files | {"sys/devices/system/cpu/modalias": "cpu:type:aarch64:feature:,0000,0001"})


def qemu_virt(root: Path, bogomips: str, implementer: str, part: str) -> Path:
    """Write the files of QEMU's machine ``virt``, without firmware; the core depends on the accelerator."""
    files = {
        "proc/device-tree/compatible": "linux,dummy-virt\0",
        "proc/device-tree/model": "linux,dummy-virt\0",
        "sys/devices/platform/9020000.fw-cfg/uevent": FW_CFG,
    }
    return arm(root, bogomips, implementer, part, **files)


def tcg(root: Path) -> Path:
    """Write what was read on ``qemu-system-aarch64 -M virt -cpu cortex-a72`` (QEMU 10.0.13), with Debian 12."""
    return qemu_virt(root, "125.00", "0x41", "0xd08")


def tcg_in_docker(root: Path) -> Path:
    """Write the same as in a container there: Docker hides /sys/firmware, which the device tree is a link to."""
    arm(root, "125.00", "0x41", "0xd08")
    return trees.write(root, {".dockerenv": "", "sys/devices/platform/9020000.fw-cfg/uevent": FW_CFG})


def tcg_max(root: Path) -> Path:
    """Write the files of ``-cpu max``."""
    return qemu_virt(root, "2000.00", "0x00", "0x051")


def tcg_with_firmware(root: Path) -> Path:
    """Write the files with UEFI: ACPI and DMI instead of a device tree."""
    others = {DMI: "QEMU\n", "sys/bus/acpi/devices/QEMU0002:00/hid": "QEMU0002\n"}
    return arm(root, "125.00", "0x41", "0xd08", **others)


def tcg_raspberry_pi(root: Path) -> Path:
    """Write the files of ``-M raspi4b``, which has the device tree of a Raspberry Pi."""
    others = {"proc/device-tree/model": "Raspberry Pi 4 Model B\0", "proc/device-tree/compatible": "raspberrypi,4\0"}
    return arm(root, "125.00", "0x41", "0xd08", **others)


def kvm_on_a_pi(root: Path) -> Path:
    """Write the files of QEMU with KVM on a Raspberry Pi 4."""
    return qemu_virt(root, "108.00", "0x41", "0xd08")


def hvf_on_a_mac(root: Path) -> Path:
    """Write the files of QEMU with Apple's Hypervisor.framework, as UTM and Lima start it."""
    return arm(root, "48.00", "0x61", "0x000", **{DMI: "QEMU\n", "sys/bus/acpi/devices/QEMU0002:00/hid": "QEMU0002\n"})


def kvm_with_a_fast_counter(root: Path) -> Path:
    """Write the files of QEMU with KVM on a Neoverse-V1 whose counter has the same 1 GHz as TCG's core max."""
    return qemu_virt(root, "2000.00", "0x41", "0xd40")


def graviton(root: Path) -> Path:
    """Write the files of an EC2 instance with a Graviton 2."""
    return arm(root, "243.75", "0x41", "0xd0c", **{DMI: "Amazon EC2\n"})


def apple_virtualization(root: Path) -> Path:
    """Write the files of Docker Desktop's machine on a Mac."""
    return arm(root, "48.00", "0x61", "0x000", **{DMI: "Apple Inc.\n"})


def firecracker(root: Path) -> Path:
    """Write the files of a Firecracker machine on arm64, which always has KVM, with the same device tree as QEMU's."""
    return arm(root, "243.75", "0x41", "0xd0c", **{"proc/device-tree/compatible": "linux,dummy-virt\0"})


def pc(root: Path, model: str, vendor: str, flags: str = "fpu sse2 avx2 hypervisor") -> Path:
    """Write the files of an amd64 machine."""
    text = f"processor\t: 0\nvendor_id\t: AuthenticAMD\nmodel name\t: {model}\nflags\t\t: {flags}\nbogomips\t: 125.00\n"
    files = {"proc/cpuinfo": text, DMI: f"{vendor}\n", "sys/devices/system/cpu/modalias": "cpu:type:x86,ven0002:"}
    return trees.write(root, files)
