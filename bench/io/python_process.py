"""How this project starts its own modules in other Python processes."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import edge_bench

__all__ = ["module_command", "module_environment"]


def module_command(module: str) -> list[str]:
    """Return the command that runs a module. -P keeps files in the current folder from being imported by it."""
    return [sys.executable, "-P", "-m", module]


def module_environment(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the environment with this very package first on PYTHONPATH, installed or not."""
    # the links in edge_bench/ must not be resolved here
    root = str(Path(edge_bench.__file__).parent.parent)
    return {**environment, "PYTHONPATH": os.pathsep.join(filter(None, (root, environment.get("PYTHONPATH"))))}
