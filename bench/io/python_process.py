"""Python processes: how this project starts its own modules in others, and garbage collection in this one."""

import contextlib
import gc
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

__all__ = ["PACKAGE", "collection_paused", "module_command", "module_environment"]

#: The folder of the package edge_bench. The links in it must not be resolved here.
PACKAGE = Path(__file__).parents[2]


def module_command(module: str) -> list[str]:
    """Return the command that runs a module. -P prevents imports from the current folder."""
    return [sys.executable, "-P", "-m", module]


def module_environment(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the environment with this package first on PYTHONPATH, even if it is not installed."""
    path = os.pathsep.join(filter(None, (str(PACKAGE.parent), environment.get("PYTHONPATH"))))
    return {**environment, "PYTHONPATH": path}


@contextlib.contextmanager
def collection_paused() -> Iterator[None]:
    """Pause the collection of cyclic garbage while many objects are made that stay: it would look at all of them."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
