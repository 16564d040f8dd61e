"""Inference on the data of clients by a model with any inputs and outputs.

Client data is decoded in the worker, so that a crash of native code ends only this process. Outputs are encoded here,
too, so that the server only needs memory for their bytes.
"""

import time
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from edge_bench.bench.records.manifest import TensorSpec
from edge_bench.bench.runtimes.base import Clock
from edge_bench.bench.runtimes.graphs.base import Feed, GraphFile, GraphLoader, GraphSession
from edge_bench.bench.worker.durations import WARM_UP
from edge_bench.bench.worker.graphs.serving_messages import (
    GraphInferred,
    GraphOpened,
    GraphRefused,
    InferGraph,
    InferredTensor,
    OpenGraph,
    RequestedOutput,
)
from edge_bench.bench.worker.graphs.tensor_data import InvalidData, as_bytes, as_json, decoded
from edge_bench.bench.worker.limits import first_line

__all__ = ["GraphInferenceHandler"]

Array = npt.NDArray[Any]


class GraphInferenceHandler:
    """A loaded graph, warmed up, that answers one request at a time."""

    def __init__(self, request: OpenGraph, load: GraphLoader, clock: Clock = time.perf_counter_ns) -> None:
        """Raise ValueError if the model cannot be loaded with these settings."""
        self._request, self._clock = request, clock
        configuration = request.configuration
        shapes = {name: tuple(shape) for name, shape in request.shapes.items()}
        # its state is reset here, outside the model's times
        file = GraphFile(
            request.file, configuration.threads, configuration.batch_size, request.signature, shapes, serving=True,
            stateful=True,
        )  # fmt: skip
        began = clock()
        self._session = load(file)
        load_ns = clock() - began
        self._is_learned = self._learn_from_zeros()
        if self._is_learned:
            self._warm_up()
        self._session.reset_state()
        takes_batches = self._takes_batches
        self.opened = GraphOpened(
            load_ns=load_ns,
            inputs=_offered_inputs(self._session, takes_batches),
            outputs=_offered_outputs(self._session, takes_batches),
            takes_batches=takes_batches,
        )

    @property
    def _takes_batches(self) -> bool:
        return all(self._session.has_batch_axis) and all(self._session.keeps_batch_axis)

    def _learn_from_zeros(self) -> bool:
        """Learn the outputs from zeros; return False if zeros are invalid, so that the first request must do it."""
        try:
            self._session.learn_outputs([_zeros(spec) for spec in self._session.inputs])
            self._session.invoke([_zeros(spec) for spec in self._session.inputs])
        except MemoryError:
            raise
        except Exception:  # of any runtime; a model of indices may refuse them
            if self._session.batch_size > 1:
                raise  # whether a batch can be invoked must be known
            return False
        return True

    def _warm_up(self) -> None:
        """Run full batches and, if a batch has several examples, one of a single example."""
        session = self._session
        count = session.batch_size + 1 if session.batch_size > 1 else 1
        feeds = [
            Feed(np.zeros((count, *map(abs, spec.shape[1:] if has else spec.shape)), spec.dtype), has)
            for spec, has in zip(session.inputs, session.has_batch_axis, strict=True)
        ]
        began, least = self._clock(), WARM_UP.nanoseconds()
        while True:
            session.run_pass(feeds, self._clock)
            if self._clock() - began >= least:
                return

    def infer(self, request: InferGraph) -> GraphInferred | GraphRefused:
        """Return the requested outputs; `GraphRefused` for invalid data, or data on which the model cannot be run."""
        began = self._clock()
        try:
            sent = {tensor.name: tensor for tensor in request.inputs}
            inputs = [decoded(sent[spec.name], spec.dtype) for spec in self._session.inputs]
            decode_ns = self._clock() - began
            examples = len(inputs[0]) if self._takes_batches else 1
            outputs, compute_ns = self._run(inputs, examples, request.outputs)
            return GraphInferred(
                outputs=self._encoded(outputs, request.outputs),
                examples=examples,
                decode_ns=decode_ns,
                compute_ns=compute_ns,
            )
        except InvalidData as cause:
            return GraphRefused(message=str(cause))
        except MemoryError:
            raise
        except Exception as cause:  # runtimes raise any type, for example for indices out of range
            message = "the model cannot be run on these inputs; see the server's log for the reason"
            return GraphRefused(message=message, log=first_line(cause))

    def _run(
        self, inputs: Sequence[Array], examples: int, requested: Sequence[RequestedOutput]
    ) -> tuple[dict[str, Array], int]:
        """Return the requested outputs of all examples by name, and the nanoseconds of the invocations."""
        session, parts, compute_ns, left = self._session, list[dict[str, Array]](), 0, self._request.most_output_bytes
        names = {each.name for each in requested}
        step = session.batch_size if self._takes_batches else examples
        for start in range(0, examples, step):
            part = [each[start : start + step] for each in inputs] if self._takes_batches else inputs
            if not self._is_learned:
                session.learn_outputs(part)
                self._is_learned = True
                if examples > 1 and not self._takes_batches:
                    raise InvalidData("the model takes one example per request")
            if not self._request.stateful:
                session.reset_state()
            began = self._clock()
            invoked = session.invoke(part)
            compute_ns += self._clock() - began
            own = {spec.name: value for spec, value in zip(session.outputs, invoked, strict=True) if spec.name in names}
            left -= sum(value.nbytes for value in own.values())
            if left < 0:
                raise self._too_large()
            parts.append(own)
        return {name: _joined(name, [part[name] for part in parts]) for name in names}, compute_ns

    def _encoded(self, outputs: dict[str, Array], requested: Sequence[RequestedOutput]) -> list[InferredTensor]:
        encoded, left = list[InferredTensor](), self._request.most_output_bytes
        for each in requested:
            values = outputs[each.name]
            if each.form == "json" and values.dtype.kind == "f" and not np.isfinite(values).all():
                raise InvalidData(
                    f"output {each.name[:80]!r} has values that are not finite, which JSON cannot represent: "
                    "request it with binary_data"
                )
            data = as_bytes(values) if each.form == "raw" else as_json(values, left)
            if data is None or len(data) > left:
                raise self._too_large()
            left -= len(data)
            encoded.append(
                InferredTensor(
                    name=each.name, dtype=values.dtype.name, shape=list(values.shape), form=each.form, data=data
                )
            )
        return encoded

    def _too_large(self) -> InvalidData:
        return InvalidData(
            f"the outputs have more than {self._request.most_output_bytes:,} bytes: request fewer examples or outputs, "
            "or binary data"
        )


def _zeros(spec: TensorSpec) -> Array:
    """Return zeros of a whole input, with 1 for the size of an open axis."""
    return np.zeros([abs(size) for size in spec.shape], spec.dtype)


def _joined(name: str, parts: Sequence[Array]) -> Array:
    if len({part.shape[1:] for part in parts}) > 1:
        raise InvalidData(f"output {name[:80]!r} has a different shape for each example: send one example per request")
    return np.concatenate(parts) if len(parts) > 1 else parts[0]


def _offered_inputs(session: GraphSession, takes_batches: bool) -> list[TensorSpec]:
    """Return the inputs as clients see them: the first axis is -1 if a request may have several examples."""
    offered = list[TensorSpec]()
    for spec, has in zip(session.layout.described_inputs, session.has_batch_axis, strict=True):
        first = [-1] if takes_batches else [1] if has else spec.shape[:1]
        offered.append(msgspec.structs.replace(spec, shape=[*first, *spec.shape[1:]]))
    return offered


def _offered_outputs(session: GraphSession, takes_batches: bool) -> list[TensorSpec]:
    offered = list[TensorSpec]()
    for spec, keeps in zip(session.layout.described_outputs, session.keeps_batch_axis, strict=True):
        first = [-1] if takes_batches else [1] if keeps else spec.shape[:1]
        offered.append(msgspec.structs.replace(spec, shape=[*first, *spec.shape[1:]]))
    return offered
