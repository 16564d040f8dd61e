"""One small adapter a runtime, and the registry that knows them by name.

A runtime is a module here with a ``load`` function (see ``base.py``) and one line in ``RUNTIMES``.
Nothing is imported until a worker process asks for it.
"""

import importlib
import importlib.metadata
import importlib.util
import platform

import msgspec

from edge_bench.bench.errors import BadInput, MissingDependency
from edge_bench.bench.runtimes.base import Loader, Session

__all__ = [
    "RUNTIMES",
    "SAVED_MODEL",
    "Runtime",
    "Session",
    "installed_version",
    "loader",
    "runtime_named",
    "why_not_installed",
]


#: What a SavedModel folder's variant is known by: the file in it that holds the graph.
SAVED_MODEL = "saved_model.pb"


class Runtime(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a runtime without importing it."""

    name: str
    adapter: str  # module in this package
    library: str  # importable name
    distributions: tuple[str, ...]  # on the package index; the first that is installed counts
    formats: tuple[str, ...]  # ends of the names of the files it loads
    batch_size: int  # default
    threads: int | None  # default; None: all cores that may be used
    missing: str  # what to do where it is not installed
    optional: bool = False  # not for bundles: only for files that users bring


RUNTIMES = {
    runtime.name: runtime
    for runtime in (
        Runtime(
            name="tensorflow",
            adapter="keras",
            library="tensorflow",
            distributions=("tensorflow-cpu", "tensorflow"),
            formats=(".keras", SAVED_MODEL),
            batch_size=32,  # predict's own default, which is how the paper's author ran it
            threads=None,
            missing="pip install 'edge-bench[host]', or use the host image",
        ),
        Runtime(
            name="tflite-runtime",
            adapter="tflite_runtime",
            library="tflite_runtime",
            distributions=("tflite-runtime",),
            formats=(".tflite",),
            batch_size=1,
            threads=1,
            missing="its last release, 2.14, has wheels up to Python 3.11; use litert, its successor",
        ),
        Runtime(
            name="litert",
            adapter="litert",
            library="ai_edge_litert",
            distributions=("ai-edge-litert",),
            formats=(".tflite",),
            batch_size=1,
            threads=1,
            missing="pip install 'edge-bench[edge]'",
        ),
        Runtime(
            name="onnxruntime",
            adapter="onnx_runtime",
            library="onnxruntime",
            distributions=("onnxruntime",),
            formats=(".onnx",),
            batch_size=1,
            threads=1,
            missing="pip install 'edge-bench[onnx]'",
            optional=True,
        ),
    )
}


def runtime_named(name: str) -> Runtime:
    """The runtime of that name; BadInput lists them."""
    if name not in RUNTIMES:
        raise BadInput(f"no runtime is called {name!r}", f"there are: {', '.join(RUNTIMES)}")
    return RUNTIMES[name]


def installed_version(runtime: Runtime) -> str | None:
    """The version installed here, or None; imports nothing."""
    if importlib.util.find_spec(runtime.library) is None:
        return None
    for distribution in runtime.distributions:
        try:
            return importlib.metadata.version(distribution)
        except importlib.metadata.PackageNotFoundError:
            continue
    return "unknown"


def why_not_installed(runtime: Runtime) -> MissingDependency:
    """What a row says of a runtime that is not there."""
    return MissingDependency(
        f"{runtime.name} is not installed (Python {platform.python_version()}, {platform.machine()})",
        runtime.missing,
    )


def loader(runtime: Runtime) -> Loader:
    """Imports the runtime's library and returns its ``load``. ImportError where the library cannot be imported."""
    module = importlib.import_module(f"edge_bench.bench.runtimes.{runtime.adapter}")
    load: Loader = module.import_loader()
    return load
