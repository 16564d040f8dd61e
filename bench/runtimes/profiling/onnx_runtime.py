"""ONNX Runtime: its trace of an optimized model, whose nodes are traced back to those of the file.

ONNX Runtime fuses, replaces and adds nodes. So each node of the file gets a unique name in a copy, and the optimized
graph is written to a file: its tensors have the names of the original ones.
"""

import json
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_bench.bench.io.files import read_bounded
from edge_bench.bench.model_formats.operators.onnx_nodes import (
    OnnxNode,
    OnnxNodes,
    named_copy,
    node_name,
    read_onnx_nodes,
)
from edge_bench.bench.model_formats.protobuf import MAX_FILE_BYTES
from edge_bench.bench.runtimes.profiling.base import (
    Executed,
    ProfiledFile,
    ProfiledLoader,
    StatedTensor,
    from_rounded_down,
    whole_inputs,
)

__all__ = ["import_profiler", "nodes_behind"]

_RUN, _KERNEL = "model_run", "_kernel_time"
#: Suffix of nodes in a blocked layout; the rest of their name is that of the original output.
_BLOCKED = "_nchwc"
_MOST_TRACE_BYTES = 1 << 30


class _Session:
    """An ONNX Runtime session that writes its trace and its graph into a folder."""

    def __init__(self, library: Any, model: bytes, path: Path, threads: int, folder: Path, *, optimized: bool) -> None:
        self._folder = folder
        levels = library.GraphOptimizationLevel
        options = library.SessionOptions()
        options.log_severity_level = 4
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.graph_optimization_level = levels.ORT_ENABLE_ALL if optimized else levels.ORT_DISABLE_ALL
        options.add_session_config_entry("session.model_external_initializers_file_folder_path", str(path.parent))
        options.enable_profiling, options.profile_file_prefix = True, str(folder / "trace")
        options.optimized_model_filepath = str(folder / "graph.onnx")
        self.session = library.InferenceSession(model, options, providers=["CPUExecutionProvider"])

    def invocations(self) -> list[list[dict[str, Any]]]:
        """End profiling and return the events of nodes, by invocation."""
        trace = Path(self.session.end_profiling())
        found, current = list[list[dict[str, Any]]](), list[dict[str, Any]]()
        for event in json.loads(read_bounded(trace, _MOST_TRACE_BYTES)):
            name = str(event.get("name", ""))
            if event.get("cat") == "Node" and name.endswith(_KERNEL):
                current.append(event | {"name": name.removesuffix(_KERNEL)})
            elif name == _RUN:
                found.append(current)
                current = []
        trace.unlink()
        return found

    def graph(self) -> OnnxNodes:
        """Return the nodes that it executes."""
        return read_onnx_nodes(self._folder / "graph.onnx")


class OnnxProfile:
    """An .onnx model whose nodes ONNX Runtime times."""

    profiler = "ONNX Runtime's profiler"
    resolution_ns = 1000

    def __init__(self, library: Any, file: ProfiledFile, inputs: Sequence[npt.NDArray[Any]]) -> None:
        self._file = read_onnx_nodes(file.path)
        model = named_copy(read_bounded(file.path, MAX_FILE_BYTES))
        self._folder = tempfile.TemporaryDirectory()
        folder = Path(self._folder.name)
        plain = _Session(library, model, file.path, file.threads, folder, optimized=False)
        feeds = self._feeds(plain, inputs)
        plain.session.run(None, feeds)
        self._tensors = _tensors(plain, feeds, self._file)
        self._optimized = _Session(library, model, file.path, file.threads, folder, optimized=True)
        executed = self._optimized.graph()
        self._origins = dict(
            zip([node.name for node in executed.nodes], nodes_behind(executed, self._file), strict=True)
        )

    @staticmethod
    def _feeds(plain: _Session, inputs: Sequence[npt.NDArray[Any]]) -> dict[str, npt.NDArray[Any]]:
        ports = plain.session.get_inputs()
        whole = whole_inputs(inputs, [len(port.shape) for port in ports])
        return {port.name: values for port, values in zip(ports, whole, strict=True)}

    def run(self, inputs: Sequence[npt.NDArray[Any]]) -> int:
        """Invoke the model on one batch, profiled; return its duration in nanoseconds."""
        feeds = self._feeds(self._optimized, inputs)
        began = time.perf_counter_ns()
        self._optimized.session.run(None, feeds)
        return time.perf_counter_ns() - began

    def finish(self, skip: int) -> list[Executed]:
        """Return what was executed, without the first invocations."""
        invocations = self._optimized.invocations()[skip:]
        self._folder.cleanup()
        if not invocations or not invocations[0]:
            raise ValueError("ONNX Runtime's trace has no operators")
        names = [event["name"] for event in invocations[0]]
        if any([event["name"] for event in events] != names for events in invocations):
            raise ValueError("ONNX Runtime's trace has different operators for each invocation")
        times = np.array([[int(event["dur"]) for event in events] for events in invocations], np.int64)
        return [
            Executed(
                kind=(kind := str(event["args"].get("op_name", ""))),
                name="",
                kernel=f"{event['args'].get('provider', '')}: {kind}",
                nodes=self._origins.get(event["name"], []),
                times_ns=from_rounded_down(np.maximum(times[:, number], 0)).tolist(),
            )
            for number, event in enumerate(invocations[0])
        ]

    def tensors(self) -> dict[str, StatedTensor]:
        """Return the tensors of the file as they are in an invocation."""
        return self._tensors


def _tensors(plain: _Session, feeds: Mapping[str, npt.NDArray[Any]], file: OnnxNodes) -> dict[str, StatedTensor]:
    """Return types and shapes of all tensors, from one invocation of the graph as it is in the file."""
    found = {name: StatedTensor(values.dtype.name, list(values.shape)) for name, values in feeds.items()}
    found |= {name: StatedTensor(kind, list(sizes)) for name, (kind, sizes) in file.constants.items()}
    nodes = {node_name(number): node for number, node in enumerate(file.nodes)}
    for events in plain.invocations():
        for event in events:
            node = nodes.get(event["name"])
            outputs = [name for name in node.outputs if name] if node else []
            for name, stated in zip(outputs, event["args"].get("output_type_shape", []), strict=False):
                (kind, sizes), *_ = stated.items()
                found[name] = StatedTensor(kind, [int(size) for size in sizes])
    return found


def nodes_behind(executed: OnnxNodes, file: OnnxNodes) -> list[list[int]]:
    """Return the positions in ``file`` of the nodes that each node of an optimized graph computes.

    Empty for nodes that the optimization added, such as changes of a layout.
    """
    producers = {name: number for number, node in enumerate(file.nodes) for name in node.outputs if name}
    outputs = [_original_outputs(node, producers) for node in executed.nodes]
    made = {name for names in outputs for name in names}
    taken, found = set[int](), list[list[int]]()
    for names in outputs:
        nodes, waiting = set[int](), list(names)
        while waiting:
            number = producers.get(waiting.pop())
            if number is not None and number not in nodes and number not in taken:
                nodes.add(number)
                waiting += [name for name in file.nodes[number].inputs if name and name not in made]
        taken |= nodes
        found.append(sorted(nodes))
    return found


def _original_outputs(node: OnnxNode, producers: Mapping[str, int]) -> list[str]:
    if node.name.endswith(_BLOCKED) and (name := node.name.removesuffix(_BLOCKED)) in producers:
        return [name]
    if node.kind in ("ReorderInput", "ReorderOutput"):
        return []
    return [name for name in node.outputs if name in producers]


def import_profiler() -> ProfiledLoader:
    """Import the library and return a loader of profiled models."""
    import onnxruntime

    def load(file: ProfiledFile, inputs: Sequence[npt.NDArray[Any]]) -> OnnxProfile:
        return OnnxProfile(onnxruntime, file, inputs)

    return load
