"""Setup of an inference server for a bundle or a model file."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from edge_bench.app.serving.application import Application, Classifier
from edge_bench.app.serving.auth import check_tls, on_loopback
from edge_bench.app.serving.graphs.model import GraphModel, GraphToServe, open_graph
from edge_bench.app.serving.http_limits import BoundedHttp, QuietServer
from edge_bench.app.serving.listener import BoundedListener, ServerLoop, listening_socket, raise_file_limit
from edge_bench.app.serving.model_facts import model_facts
from edge_bench.app.serving.model_worker import ModelWorker
from edge_bench.app.serving.open_inference import DATATYPES, AcceptedInput
from edge_bench.app.serving.request_body import BodyReader
from edge_bench.bench.dataset.options import DataOptions
from edge_bench.bench.dataset.workload import bundle_workload
from edge_bench.bench.errors import BadInput, EdgeBenchError
from edge_bench.bench.inputs.shape_settings import parse_shape
from edge_bench.bench.measure.plan import Planned, Selection, plan
from edge_bench.bench.measure.request import BenchmarkRequest
from edge_bench.bench.models.model_files import ModelFiles, is_bundle
from edge_bench.bench.progress import Progress
from edge_bench.bench.records.bundle import Bundle
from edge_bench.bench.records.interpretation import any_assumed
from edge_bench.bench.records.run import CLASSIFY, Settings
from edge_bench.bench.worker.graphs.serving_messages import OpenGraph
from edge_bench.bench.worker.messages import Open

__all__ = ["GraphOptions", "Limits", "ListenAddress", "run_server", "serving_request"]

#: Task that serves a model's raw inputs and outputs.
_TENSOR = "tensor"


@dataclass(frozen=True)
class ListenAddress:
    """Address to listen on, with token and TLS files."""

    host: str
    port: int
    token: str | None
    certificate: Path | None
    key: Path | None


@dataclass(frozen=True)
class Limits:
    """Limits on requests and on the worker."""

    queue: int  # requests
    batch: int  # images per request
    body_bytes: int
    body_seconds: float
    header_seconds: float
    inference_seconds: float
    start_seconds: float
    end_seconds: int
    memory: int | None  # bytes


@dataclass(frozen=True)
class GraphOptions:
    """Options that state how a model is served: with a signature, shapes or ``--task tensor``, as raw tensors."""

    task: str | None = None
    signature: str | None = None
    shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)  # full shapes of inputs with open axes

    @classmethod
    def from_options(cls, task: str | None, signature: str | None, shapes: Sequence[str]) -> "GraphOptions":
        """Return the options of a command. Raise BadInput if they are invalid or contradict each other."""
        if task not in (None, CLASSIFY, _TENSOR):
            raise BadInput(f"--task {task[:40]!r}: not supported by serve", f"use {CLASSIFY} or {_TENSOR}")
        stated = dict(map(parse_shape, shapes))
        if len(stated) != len(shapes):
            raise BadInput("--shape: given twice for the same input", "give it once per input")
        if task == CLASSIFY and (signature is not None or stated):
            raise BadInput(
                "--task classify: not possible with --signature or --shape",
                "use --task tensor",
            )
        return cls(task, signature, stated)

    @property
    def as_tensors(self) -> bool:
        """Whether even a classifier is served as raw tensors."""
        return self.task == _TENSOR or self.signature is not None or bool(self.shapes)


def serving_request(
    path: Path,
    selection: Selection,
    progress: Progress,
    preprocess: str | None = None,
    threshold: float | None = None,
    *,
    graph: GraphOptions | None = None,
    stateful: bool = False,
    memory_limit: int | None = None,
) -> BenchmarkRequest | GraphToServe:
    """Return the request to serve a bundle or model file. ``memory_limit`` of a worker is in bytes.

    It is a BenchmarkRequest for a classifier with one input. Raise BadInput if an option is unknown or redundant.
    """
    graph = graph or GraphOptions()
    settings = Settings(limit=1, stateful=stateful, memory_limit=memory_limit)
    models: Bundle | ModelFiles
    if is_bundle(path):
        if preprocess:
            raise BadInput(f"{path} is a bundle, whose manifest states the preprocessing", "omit --preprocess")
        if threshold is not None:
            raise BadInput(f"{path} is a bundle, whose manifest states the threshold", "omit --threshold")
        models = bundle = Bundle.open(path)
        if not (graph.as_tensors or _is_graph(bundle)):
            # not BenchmarkRequest.from_bundle(), which reduces the selection under an emulator
            return BenchmarkRequest(bundle_workload(bundle, 1), plan(bundle, selection, memory_limit), settings)
        name, digest = bundle.manifest.model.name, bundle.digest
    else:
        models = ModelFiles.open([path], settings.timeout_s, None, memory_limit)
        if not (graph.as_tensors or _is_graph(models)):
            return _classifier_file(path, selection, progress, preprocess, threshold, settings)
        for option in ("--preprocess",) * bool(preprocess) + ("--threshold",) * (threshold is not None):
            raise BadInput(f"{option} is for classifiers, but {path} is served as raw tensors", f"omit {option}")
        name, digest = models.name, ""
    if graph.task == CLASSIFY:
        raise BadInput(f"{path}: not a classifier with one input", "omit --task")
    planned = plan(models, selection, memory_limit)
    return GraphToServe(name, digest, planned, graph.signature, graph.shapes, stateful)


def _is_graph(models: Bundle | ModelFiles) -> bool:
    """Return whether a model is anything but a classifier with one input."""
    if isinstance(models, Bundle) and (models.manifest.is_graph or models.manifest.task != CLASSIFY):
        return True
    return any(variant.inputs for variant in models.variants)


def _classifier_file(
    path: Path,
    selection: Selection,
    progress: Progress,
    preprocess: str | None,
    threshold: float | None,
    settings: Settings,
) -> BenchmarkRequest:
    options = DataOptions(preprocess=preprocess, threshold=threshold)
    request = BenchmarkRequest.from_files([path], options, selection, settings, progress)
    if any_assumed(request.workload.interpretations):
        raise BadInput(
            f"{path}: the preprocessing of images is unknown",
            "set --preprocess, for example --preprocess unit, or use --task tensor to serve raw tensors",
        )
    return request


def run_server(
    request: BenchmarkRequest | GraphToServe,
    name: str | None,
    address: ListenAddress,
    limits: Limits,
    progress: Progress,
) -> None:
    """Serve until SIGTERM or SIGINT. Raise EdgeBenchError if the model cannot be loaded or the address is unusable."""
    if name is not None and not re.fullmatch(r"[A-Za-z0-9._-]{1,100}", name):
        raise BadInput(f"--name {name!r}: not valid in a URL", "use letters, digits, '.', '_' and '-'")
    check_tls(address.certificate, address.key)
    planned = _choose_configuration(request.planned)
    model: Classifier | GraphModel
    open_message: Open | OpenGraph
    if isinstance(request, GraphToServe):
        model, open_message = open_graph(
            request, planned, name, most_examples=limits.batch, most_bytes=limits.body_bytes
        )
    else:
        model, open_message = _describe(request, planned, name, limits)
    if address.token is None and not on_loopback(address.host):
        progress.say(
            f"! {address.host} can be reached from other machines, without a token: everyone there can send requests; "
            "set a token with --token-file FILE"
        )
    listener = listening_socket(address.host, address.port)  # before the model is loaded, which takes time
    with listener, asyncio.Runner(loop_factory=lambda: ServerLoop(limits.header_seconds)) as runner:
        runner.run(_serve(model, open_message, listener, address, limits, progress))


#: Preferred first, if the user chose none: the original model if TensorFlow is installed, otherwise dynamic on LiteRT.
_VARIANTS, _RUNTIMES = (
    ("keras", "dynamic"),
    ("tensorflow", "litert", "tflite-runtime", "onnxruntime", "openvino", "ncnn"),
)


def _position(preferred: tuple[str, ...], name: str) -> int:
    return preferred.index(name) if name in preferred else len(preferred)


def _choose_configuration(planned: Sequence[Planned]) -> Planned:
    """Return the preferred selected configuration. Raise EdgeBenchError if it cannot be served."""

    def rank(item: Planned) -> tuple[int, int]:
        variant, runtime = item.configuration.variant, item.configuration.runtime
        return _position(_VARIANTS, variant), _position(_RUNTIMES, runtime)

    installed = [item for item in planned if item.failure is None or item.failure.kind != "not installed"]
    chosen = min(installed or planned, key=rank)
    if chosen.failure is not None:
        raise EdgeBenchError(f"{chosen.configuration}: {chosen.failure.message}", chosen.failure.remedy)
    return chosen


def _describe(request: BenchmarkRequest, planned: Planned, name: str | None, limits: Limits) -> tuple[Classifier, Open]:
    """Return the metadata of the served model and the message that makes a worker load it."""
    workload, configuration = request.workload, planned.configuration
    images = np.load(workload.shared.pixels, mmap_mode="r", allow_pickle=False)
    shape, dtype = images.shape[1:], images.dtype.name
    accepted = AcceptedInput(
        image_shape=tuple(int(size) for size in shape),
        datatype=DATATYPES[dtype],
        accepts_files=dtype == "uint8" and len(shape) == 3 and shape[2] in (1, 3),
        max_images=limits.batch,
    )
    facts = model_facts(
        planned, workload.identity.sha256, image_files=accepted.accepts_files, most_examples=accepted.max_images
    )
    open_message = Open(
        configuration=configuration,
        file=(planned.file or Path()).absolute(),
        preprocessing=workload.shared.preprocessing,
        image=list(accepted.image_shape),
        dtype=dtype,
        input_shape=None if workload.shared.input_shape is None else list(workload.shared.input_shape),
        stateful=request.settings.stateful,
        threshold=workload.shared.score_threshold,
    )
    classes = len(workload.identity.classes)
    model = Classifier(name=name or workload.identity.model, input=accepted, classes=classes, facts=facts)
    return model, open_message


async def _serve(
    model: Classifier | GraphModel,
    open_message: Open | OpenGraph,
    listener: BoundedListener,
    address: ListenAddress,
    limits: Limits,
    progress: Progress,
) -> None:
    from uvicorn import Config

    model_worker = ModelWorker(
        open_message, queue=limits.queue, start_timeout=limits.start_seconds, timeout=limits.inference_seconds,
        memory_limit=limits.memory, say=progress.say,
    )  # fmt: skip
    try:
        progress.say(f"loading {open_message.configuration}")
        model = model.with_opened(await model_worker.start())
        bodies = BodyReader(limits.body_bytes, limits.body_seconds, max_total_bytes=4 * limits.body_bytes)
        listener.most = raise_file_limit(tls=address.certificate is not None)
        BoundedHttp.header_timeout = limits.header_seconds
        config = Config(
            Application(model, model_worker, bodies, address.token), http=BoundedHttp, ws="none", lifespan="off",
            log_config=None, log_level="error", access_log=False, proxy_headers=False, server_header=False,
            timeout_keep_alive=75, timeout_graceful_shutdown=limits.end_seconds,
            ssl_certfile=address.certificate, ssl_keyfile=address.key,
        )  # fmt: skip
        scheme = "https" if address.certificate else "http"
        host, port = listener.getsockname()[:2]
        url = f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"
        await QuietServer(config, lambda: progress.say(f"{model.name} is served on {url}")).serve([listener])
    finally:
        await model_worker.close()
