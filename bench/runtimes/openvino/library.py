"""OpenVINO's import, without its usage statistics."""

import sys
from typing import Any

__all__ = ["import_openvino"]


def import_openvino() -> Any:
    """Import OpenVINO.

    It imports openvino_telemetry, which reads and writes files in the home directory and sends statistics about use.
    If that cannot be imported, OpenVINO takes functions that do nothing.
    """
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # imports of it now fail
    import openvino

    return openvino
