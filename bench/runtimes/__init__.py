"""Runtimes: one adapter per runtime, and the registry of all.

A runtime is a module in this package, and an entry in ``RUNTIMES``. Its function ``import_loader`` (see ``base.py``)
loads classifiers, and ``import_graph_loader`` (see ``graphs/base.py``) loads any graph. Its library is imported only in
worker processes.
"""

import importlib
import importlib.metadata
import importlib.util
import platform

import msgspec

from edge_bench.bench.errors import BadInput, MissingDependency
from edge_bench.bench.io.temporary import utf8_path
from edge_bench.bench.runtimes.base import Loader, ModelFile, Session
from edge_bench.bench.runtimes.graphs.base import GraphFile, GraphLoader, GraphSession

__all__ = [
    "RUNTIMES",
    "SAVED_MODEL",
    "Runtime",
    "Session",
    "graph_loader",
    "installed_version",
    "loader",
    "runtime_named",
    "why_not_installed",
]


#: The file with the graph in a SavedModel folder, used as the format's name.
SAVED_MODEL = "saved_model.pb"


class Runtime(msgspec.Struct, frozen=True, kw_only=True):
    """Description of a runtime, available without importing it."""

    name: str
    adapter: str  # module in this package, with a dot if it is in a package of its own
    library: str  # importable name
    distributions: tuple[str, ...]  # on the package index; the version is that of the first installed one
    formats: tuple[str, ...]  # suffixes of the file names it can load
    batch_size: int  # default
    threads: int | None  # default; None for all usable cores
    missing: str  # remedy if it is not installed
    optional: bool = False  # not needed for bundles
    has_interpreter: bool = False  # TensorFlow Lite's, as ``Interpreter`` in the library's module ``interpreter``


RUNTIMES = {
    runtime.name: runtime
    for runtime in (
        Runtime(
            name="tensorflow",
            adapter="tensorflow.adapter",
            library="tensorflow",
            distributions=("tensorflow-cpu", "tensorflow"),
            formats=(".keras", ".h5", ".hdf5", SAVED_MODEL),
            batch_size=32,  # default of predict, as used in the paper
            threads=None,
            missing="pip install 'edge-bench[host]', or use the host image",
        ),
        Runtime(
            name="tflite-runtime",
            adapter="tflite_runtime",
            library="tflite_runtime",
            has_interpreter=True,
            distributions=("tflite-runtime",),
            formats=(".tflite",),
            batch_size=1,
            threads=1,
            missing="pip install 'edge-bench[edge]' with Python 3.11, its last version; or use litert, the successor",
            optional=True,
        ),
        Runtime(
            name="litert",
            adapter="litert",
            library="ai_edge_litert",
            has_interpreter=True,
            distributions=("ai-edge-litert",),
            formats=(".tflite",),
            batch_size=1,
            threads=1,
            missing="pip install ai-edge-litert, if it has a wheel for this platform",
        ),
        Runtime(
            name="onnxruntime",
            adapter="onnx_runtime",
            library="onnxruntime",
            distributions=("onnxruntime",),
            formats=(".onnx",),
            batch_size=1,
            threads=1,
            missing="pip install 'edge-bench[onnx]', or use the image edge-bench-full",
            optional=True,
        ),
        Runtime(
            name="openvino",
            adapter="openvino.adapter",
            library="openvino",
            distributions=("openvino",),
            formats=(".tflite", ".onnx"),
            batch_size=1,
            threads=1,
            missing="pip install 'edge-bench[openvino]', or use the image edge-bench-full",
            optional=True,
        ),
        Runtime(
            name="ncnn",
            adapter="ncnn.adapter",
            library="ncnn",
            distributions=("ncnn",),
            formats=(".param",),
            batch_size=1,
            threads=1,
            missing="pip install 'edge-bench[ncnn]', or use the image edge-bench-full",
            optional=True,
        ),
    )
}


def runtime_named(name: str) -> Runtime:
    """Return the runtime of that name; raise BadInput if there is none."""
    if name not in RUNTIMES:
        raise BadInput(f"no runtime is called {name!r}", f"choose from {', '.join(RUNTIMES)}")
    return RUNTIMES[name]


def installed_version(runtime: Runtime) -> str | None:
    """Return the installed version, or None, without importing the library."""
    if importlib.util.find_spec(runtime.library) is None:
        return None
    for distribution in runtime.distributions:
        try:
            return importlib.metadata.version(distribution)
        except importlib.metadata.PackageNotFoundError:
            continue
    return "unknown"


def why_not_installed(runtime: Runtime) -> MissingDependency:
    """Return the error for a runtime that is not installed."""
    return MissingDependency(
        f"{runtime.name} is not installed (Python {platform.python_version()}, {platform.machine()})",
        runtime.missing,
    )


def loader(runtime: Runtime) -> Loader:
    """Import the runtime's library and return its loader; raise ImportError if that fails."""
    module = importlib.import_module(f"edge_bench.bench.runtimes.{runtime.adapter}")
    load: Loader = module.import_loader()

    def load_by_utf8_name(file: ModelFile) -> Session:
        with utf8_path(file.path) as path:  # native libraries accept only UTF-8 names
            return load(file._replace(path=path))

    return load_by_utf8_name


def graph_loader(runtime: Runtime) -> GraphLoader:
    """Import the runtime's library and return its loader of any graph; raise ImportError if that fails."""
    module = importlib.import_module(f"edge_bench.bench.runtimes.{runtime.adapter}")
    load: GraphLoader = module.import_graph_loader()

    def load_by_utf8_name(file: GraphFile) -> GraphSession:
        with utf8_path(file.path) as path:  # native libraries accept only UTF-8 names
            return load(file._replace(path=path))

    return load_by_utf8_name
