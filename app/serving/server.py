"""From a bundle or a model file to a server that answers until it is told to end."""

import asyncio
import re
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from edge_bench.app.serving.application import Application, Model
from edge_bench.app.serving.auth import check_tls, on_loopback
from edge_bench.app.serving.http_limits import BoundedHttp, QuietServer, listening_socket, raise_file_limit
from edge_bench.app.serving.model_worker import ModelWorker
from edge_bench.app.serving.open_inference import DATATYPES, AcceptedInput
from edge_bench.app.serving.request_body import BodyReader
from edge_bench.bench.dataset.load import DataOptions
from edge_bench.bench.dataset.workload import bundle_workload
from edge_bench.bench.errors import BadInput, EdgeBenchError
from edge_bench.bench.measure.plan import Planned, Selection, plan
from edge_bench.bench.measure.request import BenchmarkRequest
from edge_bench.bench.models.model_files import is_bundle
from edge_bench.bench.progress import Progress
from edge_bench.bench.records.bundle import Bundle
from edge_bench.bench.records.run import Settings
from edge_bench.bench.system.machine import describe_machine
from edge_bench.bench.version import __version__
from edge_bench.bench.worker.messages import Open

__all__ = ["Limits", "ListenAddress", "run_server", "serving_request"]


@dataclass(frozen=True)
class ListenAddress:
    """Where it listens, and who may ask."""

    host: str
    port: int
    token: str | None
    certificate: Path | None
    key: Path | None


@dataclass(frozen=True)
class Limits:
    """What is taken from strangers; seconds and bytes."""

    queue: int
    batch: int
    body_bytes: int
    body_seconds: float
    header_seconds: float
    inference_seconds: float
    start_seconds: float
    end_seconds: int
    memory: int | None


def serving_request(path: Path, selection: Selection, preprocess: str | None, progress: Progress) -> BenchmarkRequest:
    """What is served: a bundle, or a model file with a preprocessing that is stated or betrayed by the file."""
    settings = Settings(limit=1)
    if is_bundle(path):
        if preprocess:
            raise BadInput(f"{path} is a bundle, whose manifest says the preprocessing", "leave --preprocess out")
        # the whole selection is stated: under an emulator nothing is to be left out
        return BenchmarkRequest(bundle_workload(Bundle.open(path), 1), plan(Bundle.open(path), selection), settings)
    request = BenchmarkRequest.from_files([path], DataOptions(preprocess=preprocess), selection, settings, progress)
    spec, workload = request.planned[0].variant.input, request.workload
    sent = np.load(workload.pixels, mmap_mode="r", allow_pickle=False).dtype
    as_they_are = sent != np.uint8 or (spec.dtype == "uint8" and not spec.scale)
    if preprocess is None and workload.preprocessing.name == "raw" and not as_they_are:
        raise BadInput(f"{path}: nothing in it says how pixels become its input", "say --preprocess unit, say, or raw")
    return request


def run_server(
    request: BenchmarkRequest, name: str | None, place: ListenAddress, limits: Limits, progress: Progress
) -> None:
    """Answers until SIGTERM or SIGINT. EdgeBenchError where the model or the address cannot be had."""
    if name is not None and not re.fullmatch(r"[A-Za-z0-9._-]{1,100}", name):
        raise BadInput(f"--name {name!r}: it is part of an address", "letters, digits, '.', '_' and '-'")
    check_tls(place.certificate, place.key)
    planned = _one_of(request.planned)
    model, opening = _model(request, planned, name, limits)
    if place.token is None and not on_loopback(place.host):
        progress.say(
            f"! {place.host} can be reached from other machines, and there is no token: whoever reaches it may ask; "
            "--token-file FILE asks for one"
        )
    listening = listening_socket(place.host, place.port)
    try:
        asyncio.run(_served(model, opening, listening, place, limits, progress))
    finally:
        listening.close()


#: Where nothing was said: the original where TensorFlow is installed, else the light model on LiteRT.
_VARIANTS, _RUNTIMES = ("keras", "dynamic"), ("tensorflow", "litert", "tflite-runtime", "onnxruntime")


def _one_of(planned: Sequence[Planned]) -> Planned:
    """The configuration to serve, of all that fit what was said. EdgeBenchError where it cannot be."""

    def rank(item: Planned) -> tuple[int, int]:
        variant, runtime = item.configuration.variant, item.configuration.runtime
        return (_VARIANTS.index(variant) if variant in _VARIANTS else len(_VARIANTS), _RUNTIMES.index(runtime))

    installed = [item for item in planned if item.failure is None or item.failure.kind != "not installed"]
    chosen = min(installed or planned, key=rank)
    if chosen.failure is not None:
        raise EdgeBenchError(f"{chosen.configuration}: {chosen.failure.message}", chosen.failure.remedy)
    return chosen


def _model(request: BenchmarkRequest, planned: Planned, name: str | None, limits: Limits) -> tuple[Model, Open]:
    workload, configuration = request.workload, planned.configuration
    images = np.load(workload.pixels, mmap_mode="r", allow_pickle=False)
    shape, dtype = images.shape[1:], images.dtype.name
    machine = describe_machine()
    takes = AcceptedInput(
        image=tuple(int(size) for size in shape),
        datatype=DATATYPES[dtype],
        files=dtype == "uint8" and len(shape) == 3 and shape[2] in (1, 3),
        most=limits.batch,
    )
    facts = {
        "bundle_sha256": workload.identity.sha256,
        "variant": configuration.variant,
        "runtime": configuration.runtime,
        "runtime_version": planned.runtime_version,
        "threads": str(configuration.threads),
        "batch_size": str(configuration.batch_size),
        "model_sha256": planned.variant.sha256,
        "image_files": str(takes.files).lower(),
        "max_batch": str(takes.most),
        "hostname": machine.hostname,
        "architecture": machine.architecture,
        "emulated": str(machine.emulated).lower(),
        "edge_bench_version": __version__,
    }
    opening = Open(
        configuration=configuration,
        file=str(planned.file and planned.file.absolute()),
        preprocessing=workload.preprocessing,
        image=list(takes.image),
        dtype=dtype,
        input_shape=None if workload.input_shape is None else list(workload.input_shape),
    )
    classes = len(workload.identity.classes)
    return Model(name=name or workload.identity.model, takes=takes, classes=classes, facts=facts), opening


async def _served(
    model: Model, opening: Open, listening: socket.socket, place: ListenAddress, limits: Limits, progress: Progress
) -> None:
    from uvicorn import Config

    model_worker = ModelWorker(
        opening, queue=limits.queue, start_timeout=limits.start_seconds, timeout=limits.inference_seconds,
        memory_limit=limits.memory, say=progress.say,
    )  # fmt: skip
    try:
        progress.say(f"loading {opening.configuration}")
        opened = await model_worker.start()
        model = msgspec.structs.replace(model, classes=opened.output.shape[-1])
        bodies = BodyReader(limits.body_bytes, limits.body_seconds, together=4 * limits.body_bytes)
        BoundedHttp.most_connections, BoundedHttp.header_seconds = raise_file_limit(), limits.header_seconds
        config = Config(
            Application(model, model_worker, bodies, place.token), http=BoundedHttp, ws="none", lifespan="off",
            log_config=None, log_level="error", access_log=False, proxy_headers=False, server_header=False,
            timeout_keep_alive=75, timeout_graceful_shutdown=limits.end_seconds,
            ssl_certfile=place.certificate, ssl_keyfile=place.key,
        )  # fmt: skip
        scheme = "https" if place.certificate else "http"
        host, port = listening.getsockname()[:2]
        url = f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"
        await QuietServer(config, lambda: progress.say(f"{model.name} is served on {url}")).serve([listening])
    finally:
        await model_worker.close()
