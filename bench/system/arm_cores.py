"""Names of Arm cores, and the Raspberry Pi boards that have them."""

import re

__all__ = ["QEMU_MAX", "arm_core", "boards_with"]

#: The core that QEMU emulates by default, with all extensions of Arm that it knows, such as SVE and SME.
QEMU_MAX = "QEMU's core max"
#: Names by implementer and part number. Sources: Linux, arch/arm64/include/asm/cputype.h; QEMU, target/arm/tcg/cpu64.c.
_CORES = {
    ("0x00", "0x051"): QEMU_MAX,
    ("0x41", "0xd03"): "Cortex-A53",
    ("0x41", "0xd04"): "Cortex-A35",
    ("0x41", "0xd05"): "Cortex-A55",
    ("0x41", "0xd07"): "Cortex-A57",
    ("0x41", "0xd08"): "Cortex-A72",
    ("0x41", "0xd09"): "Cortex-A73",
    ("0x41", "0xd0b"): "Cortex-A76",
    ("0x41", "0xd0c"): "Neoverse-N1",
    ("0x41", "0xd40"): "Neoverse-V1",
    ("0x41", "0xd49"): "Neoverse-N2",
}
#: Source: the boards' product briefs.
_BOARDS = {
    "Cortex-A53": "Raspberry Pi 3 or Zero 2 W",
    "Cortex-A72": "Raspberry Pi 4",
    "Cortex-A76": "Raspberry Pi 5",
}


def arm_core(cpuinfo: str) -> str:
    """Return the core's name from the text of /proc/cpuinfo; empty if it has no number of an implementer and a part."""
    numbers = [re.search(rf"^CPU {field}\s*:\s*(\S+)", cpuinfo, re.MULTILINE) for field in ("implementer", "part")]
    if not (numbers[0] and numbers[1]):
        return ""
    pair = (numbers[0][1].lower(), numbers[1][1].lower())
    return _CORES.get(pair, f"Arm core, implementer {pair[0]}, part {pair[1]}")


def boards_with(core: str) -> str:
    """Return the Raspberry Pi boards with this core; empty if there are none, or the core is unknown."""
    return _BOARDS.get(core, "")
