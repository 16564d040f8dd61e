"""A served model with any inputs and outputs: its metadata, requests, responses and worker message."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from edge_bench.app.serving.graphs.protocol import (
    AcceptedTensors,
    GraphRequest,
    encode_graph_response,
    read_graph_request,
)
from edge_bench.app.serving.model_facts import model_facts
from edge_bench.app.serving.open_inference import Body
from edge_bench.bench.errors import EdgeBenchError
from edge_bench.bench.measure.plan import Planned
from edge_bench.bench.records.manifest import TensorSpec
from edge_bench.bench.worker.graphs.serving_messages import GraphInferred, GraphOpened, OpenGraph
from edge_bench.bench.worker.graphs.tensor_data import DATATYPES

__all__ = ["GraphModel", "GraphToServe", "open_graph"]


@dataclass(frozen=True)
class GraphToServe:
    """The configurations of a model, of which one is served, and the settings to load it."""

    name: str
    sha256: str  # of the bundle; empty for a model file
    planned: Sequence[Planned]
    signature: str | None = None  # as stated; None: default of the variant
    shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)  # full shapes of inputs with open axes
    stateful: bool = False


class GraphModel(msgspec.Struct, frozen=True, kw_only=True):
    """A served model. Its tensors are known once a worker has loaded it."""

    name: str
    facts: dict[str, str]  # identify the bundle, variant, runtime and machine
    most_examples: int  # per request
    most_bytes: int  # of one input
    opened: GraphOpened | None = None

    def with_opened(self, opened: Any) -> "GraphModel":
        """Return the model with the worker's description. Raise EdgeBenchError for a type that the protocol lacks."""
        assert isinstance(opened, GraphOpened)  # noqa: S101 - the worker's reply to `OpenGraph`
        for spec in (*opened.inputs, *opened.outputs):
            if spec.dtype not in DATATYPES:
                raise EdgeBenchError(f"tensor {spec.name[:80]!r} has type {spec.dtype[:40]}, which cannot be served")
        return msgspec.structs.replace(self, opened=opened)

    @property
    def _tensors(self) -> GraphOpened:
        assert self.opened is not None  # noqa: S101 - nothing is served before
        return self.opened

    def metadata(self) -> dict[str, Any]:
        """Return the response to GET /v2/models/{name}."""
        return {
            "name": self.name,
            "versions": ["1"],
            "platform": f"edge-bench_{self.facts['runtime']}",
            "inputs": list(map(_tensor_metadata, self._tensors.inputs)),
            "outputs": list(map(_tensor_metadata, self._tensors.outputs)),
            "parameters": self.facts,
        }

    def read(self, body: bytes | bytearray, header_length: str | None) -> GraphRequest:
        """Return the request in a body. Raise RequestError if it does not fit the model."""
        tensors = self._tensors
        accepted = AcceptedTensors(
            tensors.inputs, tensors.outputs, tensors.takes_batches, self.most_examples, self.most_bytes
        )
        return read_graph_request(body, header_length, accepted)

    def respond(self, request: Any, inferred: Any, parameters: dict[str, Any]) -> Body:
        """Return the response to a request of `read`."""
        assert isinstance(request, GraphRequest)  # noqa: S101 - the caller has it from `read`
        assert isinstance(inferred, GraphInferred)  # noqa: S101 - the worker's reply to its message
        return encode_graph_response(request, inferred, self.name, parameters)


def _tensor_metadata(spec: TensorSpec) -> dict[str, Any]:
    """Return a tensor's metadata; ``parameters`` has the scale and zero point of a quantized one."""
    metadata: dict[str, Any] = {"name": spec.name, "datatype": DATATYPES[spec.dtype], "shape": spec.shape}
    if spec.scale:
        metadata["parameters"] = {"scale": spec.scale, "zero_point": spec.zero_point}
    return metadata


def open_graph(
    graph: GraphToServe, planned: Planned, name: str | None, *, most_examples: int, most_bytes: int
) -> tuple[GraphModel, OpenGraph]:
    """Return the served model, and the message that makes a worker load it."""
    message = OpenGraph(
        configuration=planned.configuration,
        file=(planned.file or Path()).absolute(),
        signature=planned.variant.signature if graph.signature is None else graph.signature,
        shapes={each: list(shape) for each, shape in graph.shapes.items()},
        stateful=graph.stateful,
    )
    facts = model_facts(planned, graph.sha256, image_files=False, most_examples=most_examples)
    model = GraphModel(name=name or graph.name, facts=facts, most_examples=most_examples, most_bytes=most_bytes)
    return model, message
