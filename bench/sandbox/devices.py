"""Devices that a process with a delegate may use: the user asks to run the delegate's code, which needs them."""

from pathlib import Path

__all__ = ["DEVICE_FOLDER", "device_reads", "devices"]

DEVICE_FOLDER = Path("/dev")
#: Accelerators: USB and PCIe Coral, GPUs (DRM, Arm Mali, Adreno), NPUs (Linux accel, Arm Ethos-U, VeriSilicon,
#: Rockchip), and the memory that their drivers share.
_PATTERNS = (
    "bus/usb", "apex_*", "dri/renderD*", "mali*", "kgsl-3d0", "accel", "ethosu*", "galcore", "rknpu", "mpp_service",
    "dma_heap", "ion",
)  # fmt: skip
#: Where drivers and libusb look for devices.
_DESCRIPTIONS = (
    "/sys/bus",
    "/sys/class",
    "/sys/devices",
    "/sys/dev",
    "/run/udev/data",
    "/run/udev/control",
    "/etc/OpenCL",
)


def devices() -> list[Path]:
    """Return the device files, and folders of them, that exist on this machine."""
    return sorted(path for pattern in _PATTERNS for path in DEVICE_FOLDER.glob(pattern))


def device_reads() -> list[Path]:
    """Return the files and folders that describe devices; nothing if there are none."""
    return [Path(path) for path in _DESCRIPTIONS] if devices() else []
