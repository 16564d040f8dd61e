"""Workers in the test's process: their answers are those of worker processes, without the start and the sandbox."""

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

from edge_bench.bench.interpretation import predictions
from edge_bench.bench.interpretation.graphs import worker_sampler
from edge_bench.bench.measure import runner
from edge_bench.bench.records.delegate import Delegation
from edge_bench.bench.records.run import Failure
from edge_bench.bench.runtimes import loader, runtime_named
from edge_bench.bench.worker import process
from edge_bench.bench.worker.__main__ import Conversation
from edge_bench.bench.worker.messages import Finish, Finished, Problem, Ready
from edge_bench.bench.worker.process import WorkerFailed, WorkerProcess

__all__ = ["WorkerHere", "workers_here"]

#: Runtimes that can be in a process together. tflite-runtime's and LiteRT's libraries disturb each other.
TOGETHER = ("litert", "onnxruntime", "tensorflow")


class WorkerHere:
    """Takes the place of a `WorkerProcess` of one configuration."""

    def __init__(
        self, runtime: str, memory_limit: int | None = None, *, files: Sequence[Path] = (), delegate: Path | None = None
    ) -> None:
        del memory_limit, files, delegate  # are enforced by the process
        named = runtime_named(runtime)
        self._conversation = Conversation(loader(named), named)
        self.pid = os.getpid()

    def __enter__(self) -> "WorkerHere":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def wait_for(self, answer: type[Any], timeout: float) -> Ready:
        """Return the first message of a worker."""
        assert answer is Ready
        return Ready(import_ns=1)

    def ask(self, request: Any, answer: type[Any], timeout: float) -> Any:
        """Return the reply to a request; raise WorkerFailed if it is a problem."""
        reply = self._conversation.answer(request)
        if isinstance(reply, Problem):
            raise WorkerFailed(Failure(kind=reply.kind, message=reply.message, remedy=reply.remedy))
        assert isinstance(reply, answer)
        return reply

    def finish(self, timeout: float) -> Finished:
        """End the conversation."""
        finished: Finished = self.ask(Finish(), Finished, timeout)
        return finished

    def delegate(self, counted: Sequence[Delegation] = ()) -> str:
        """Return no delegate: what libraries print is not collected."""
        return ""

    def stop(self) -> None:
        """Do nothing: the model is freed with this object."""


@contextmanager
def workers_here() -> Iterator[None]:
    """Measure, test and describe models in this process."""
    with ExitStack() as patches:

        def worker(runtime: str, *arguments: Any, **settings: Any) -> WorkerHere | WorkerProcess:
            if runtime not in TOGETHER:
                return WorkerProcess(runtime, *arguments, **settings)
            if runtime == "tensorflow":
                import tensorflow as tf

                # it refuses to change the number of threads in a process that has used it already
                for name in ("set_intra_op_parallelism_threads", "set_inter_op_parallelism_threads"):
                    patches.enter_context(mock.patch.object(tf.config.threading, name))
            return WorkerHere(runtime, *arguments, **settings)

        worker.spawn = WorkerProcess.spawn  # type: ignore[attr-defined]  # other processes stay processes
        for module in (runner, predictions, worker_sampler, process):
            patches.enter_context(mock.patch.object(module, "WorkerProcess", worker))
        yield
