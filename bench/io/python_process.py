"""How this project starts its own modules in other Python processes."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

__all__ = ["PACKAGE", "module_command", "module_environment"]

#: The folder of the package edge_bench. The links in it must not be resolved here.
PACKAGE = Path(__file__).parents[2]


def module_command(module: str) -> list[str]:
    """Return the command that runs a module. -P prevents imports from the current folder."""
    return [sys.executable, "-P", "-m", module]


def module_environment(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the environment with this package first on PYTHONPATH, even if it is not installed."""
    path = os.pathsep.join(filter(None, (str(PACKAGE.parent), environment.get("PYTHONPATH"))))
    return {**environment, "PYTHONPATH": path}
