"""Description of any graph: its inputs and outputs, and the named functions of its file."""

import contextlib

from edge_bench.bench.runtimes.graphs.base import GraphFile, GraphLoader
from edge_bench.bench.runtimes.graphs.layout import UnknownInput
from edge_bench.bench.worker.graphs.messages import DescribeGraph, GraphDescribed, Signature

__all__ = ["describe"]


def describe(request: DescribeGraph, load: GraphLoader) -> GraphDescribed:
    """Load a model and return its inputs and outputs; raise ValueError if it cannot be loaded.

    Stated shapes of inputs that the model lacks are ignored, as they are for other models of the same run.
    """
    shapes = {name: tuple(shape) for name, shape in request.shapes.items()}
    file = GraphFile(request.file, 1, None, request.signature, shapes)
    try:
        session = load(file)
    except UnknownInput as cause:
        session = load(file._replace(shapes={name: shapes[name] for name in cause.known if name in shapes}))
    with contextlib.suppress(Exception):  # zeros may be invalid inputs; the file's own description is enough
        session.learn_outputs()
    return GraphDescribed(
        inputs=session.layout.described_inputs,
        outputs=session.layout.described_outputs,
        has_batch_axis=list(session.has_batch_axis),
        fixed_batch=session.fixed_batch,
        signatures=[
            Signature(name=name, inputs=inputs, outputs=outputs)
            for name, (inputs, outputs) in session.signatures.items()
        ],
    )
