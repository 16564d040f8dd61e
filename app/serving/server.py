"""Setup of an inference server for a bundle or a model file."""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from edge_bench.app.serving.application import Application, Model
from edge_bench.app.serving.auth import check_tls, on_loopback
from edge_bench.app.serving.http_limits import BoundedHttp, QuietServer
from edge_bench.app.serving.listener import BoundedListener, ServerLoop, listening_socket, raise_file_limit
from edge_bench.app.serving.model_worker import ModelWorker
from edge_bench.app.serving.open_inference import DATATYPES, AcceptedInput
from edge_bench.app.serving.request_body import BodyReader
from edge_bench.bench.dataset.options import DataOptions
from edge_bench.bench.dataset.workload import bundle_workload
from edge_bench.bench.errors import BadInput, EdgeBenchError
from edge_bench.bench.measure.plan import Planned, Selection, plan
from edge_bench.bench.measure.request import BenchmarkRequest
from edge_bench.bench.models.model_files import is_bundle
from edge_bench.bench.progress import Progress
from edge_bench.bench.records.bundle import Bundle
from edge_bench.bench.records.interpretation import any_assumed
from edge_bench.bench.records.run import Settings
from edge_bench.bench.runtimes.scores import class_count
from edge_bench.bench.system.machine import describe_machine
from edge_bench.bench.version import __version__
from edge_bench.bench.worker.messages import Open

__all__ = ["Limits", "ListenAddress", "run_server", "serving_request"]


@dataclass(frozen=True)
class ListenAddress:
    """Address to listen on, with its token and TLS files."""

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


def serving_request(
    path: Path,
    selection: Selection,
    progress: Progress,
    preprocess: str | None = None,
    threshold: float | None = None,
    *,
    stateful: bool = False,
    memory_limit: int | None = None,
) -> BenchmarkRequest:
    """Return what to serve for a bundle or model file. ``memory_limit`` is that of a worker, in bytes.

    Raise BadInput if an option is unknown or redundant.
    """
    settings = Settings(limit=1, stateful=stateful, memory_limit=memory_limit)
    if is_bundle(path):
        if preprocess:
            raise BadInput(f"{path} is a bundle, whose manifest says the preprocessing", "leave --preprocess out")
        if threshold is not None:
            raise BadInput(f"{path} is a bundle, whose manifest has the threshold", "leave --threshold out")
        # not BenchmarkRequest.from_bundle(), which reduces the selection under an emulator
        planned = plan(Bundle.open(path), selection, memory_limit)
        return BenchmarkRequest(bundle_workload(Bundle.open(path), 1), planned, settings)
    options = DataOptions(preprocess=preprocess, threshold=threshold)
    request = BenchmarkRequest.from_files([path], options, selection, settings, progress)
    if any_assumed(request.workload.interpretations):
        raise BadInput(
            f"{path}: nothing in it says how pixels become its input", "use --preprocess unit, raw or another one"
        )
    return request


def run_server(
    request: BenchmarkRequest, name: str | None, address: ListenAddress, limits: Limits, progress: Progress
) -> None:
    """Serve until SIGTERM or SIGINT. Raise EdgeBenchError if the model cannot be loaded or the address not be used."""
    if name is not None and not re.fullmatch(r"[A-Za-z0-9._-]{1,100}", name):
        raise BadInput(f"--name {name!r}: it is part of an address", "letters, digits, '.', '_' and '-'")
    check_tls(address.certificate, address.key)
    planned = _choose_configuration(request.planned)
    model, open_message = _describe(request, planned, name, limits)
    if address.token is None and not on_loopback(address.host):
        progress.say(
            f"! {address.host} can be reached from other machines, and there is no token: whoever reaches it may ask; "
            "--token-file FILE asks for one"
        )
    listener = listening_socket(address.host, address.port)  # before the model is loaded, which takes time
    with listener, asyncio.Runner(loop_factory=lambda: ServerLoop(limits.header_seconds)) as runner:
        runner.run(_serve(model, open_message, listener, address, limits, progress))


#: Preferred first, if the user chose none: the original model if TensorFlow is installed, else dynamic on LiteRT.
_VARIANTS, _RUNTIMES = ("keras", "dynamic"), ("tensorflow", "litert", "tflite-runtime", "onnxruntime")


def _position(preferred: tuple[str, ...], name: str) -> int:
    return preferred.index(name) if name in preferred else len(preferred)


def _choose_configuration(planned: Sequence[Planned]) -> Planned:
    """Return the preferred one of the selected configurations. Raise EdgeBenchError if it cannot be served."""

    def rank(item: Planned) -> tuple[int, int]:
        variant, runtime = item.configuration.variant, item.configuration.runtime
        return _position(_VARIANTS, variant), _position(_RUNTIMES, runtime)

    installed = [item for item in planned if item.failure is None or item.failure.kind != "not installed"]
    chosen = min(installed or planned, key=rank)
    if chosen.failure is not None:
        raise EdgeBenchError(f"{chosen.configuration}: {chosen.failure.message}", chosen.failure.remedy)
    return chosen


def _describe(request: BenchmarkRequest, planned: Planned, name: str | None, limits: Limits) -> tuple[Model, Open]:
    """Return the metadata of the served model and the message that makes a worker load it."""
    workload, configuration = request.workload, planned.configuration
    images = np.load(workload.shared.pixels, mmap_mode="r", allow_pickle=False)
    shape, dtype = images.shape[1:], images.dtype.name
    machine = describe_machine()
    accepted = AcceptedInput(
        image_shape=tuple(int(size) for size in shape),
        datatype=DATATYPES[dtype],
        accepts_files=dtype == "uint8" and len(shape) == 3 and shape[2] in (1, 3),
        max_images=limits.batch,
    )
    facts = {
        "bundle_sha256": workload.identity.sha256,
        "variant": configuration.variant,
        "runtime": configuration.runtime,
        "runtime_version": planned.runtime_version,
        "threads": str(configuration.threads),
        "batch_size": str(configuration.batch_size),
        "model_sha256": planned.variant.sha256,
        "image_files": str(accepted.accepts_files).lower(),
        "max_batch": str(accepted.max_images),
        "hostname": machine.hostname,
        "architecture": machine.architecture,
        "emulated": str(machine.emulated).lower(),
        "edge_bench_version": __version__,
    }
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
    return Model(name=name or workload.identity.model, input=accepted, classes=classes, facts=facts), open_message


async def _serve(
    model: Model,
    open_message: Open,
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
        opened = await model_worker.start()
        model = msgspec.structs.replace(model, classes=class_count(opened.output))
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
