"""Descriptions of model files by worker processes, each made once for tests that open equal files many times."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from edge_bench.bench.io.files import sha256_of

__all__ = ["remembering"]

_KNOWN: dict[tuple[str, ...], Any] = {}


def remembering(describe: Callable[..., Any]) -> Callable[..., Any]:
    """Return ``describe(runtime, path, …, memory_limit)``, which starts a worker only for unknown content."""

    def described(runtime: str, path: Path, *settings: Any) -> Any:
        key = (describe.__name__, runtime, sha256_of(path), repr(settings[:-1]))
        if key not in _KNOWN:
            _KNOWN[key] = describe(runtime, path, *settings)
        return _KNOWN[key]

    return described
