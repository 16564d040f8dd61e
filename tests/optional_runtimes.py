"""Parameters of tests for runtimes that need not be installed."""

import pytest

from edge_bench.bench.runtimes import RUNTIMES, installed_version

__all__ = ["NCNN", "OPENVINO"]


def _parameter(name: str) -> object:
    installed = name in RUNTIMES and installed_version(RUNTIMES[name])
    return pytest.param(name, marks=pytest.mark.skipif(not installed, reason=f"{name} is not installed"))


OPENVINO = _parameter("openvino")
NCNN = _parameter("ncnn")
