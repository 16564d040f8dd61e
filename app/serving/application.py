"""The routes of the Open Inference Protocol, and who may ask."""

import asyncio
import hmac
import time
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from edge_bench.app.serving.errors import RequestError
from edge_bench.app.serving.metrics import CONTENT_TYPE, Metrics
from edge_bench.app.serving.model_worker import ModelWorker
from edge_bench.app.serving.open_inference import HEADER_LENGTH, INPUT, AcceptedInput, answered, read_request
from edge_bench.app.serving.request_body import BodyReader, Reply
from edge_bench.bench.version import __version__

__all__ = ["Application", "Model"]

JSON = "application/json"
#: Asked by who starts and watches servers, who need not know the token.
OPEN_TO_ALL = ("/v2/health/live", "/v2/health/ready")


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """What the server says of its model."""

    name: str
    takes: AcceptedInput
    classes: int
    facts: dict[str, str]  # bundle, variant, runtime, machine: which model this is, and where

    def metadata(self) -> dict[str, Any]:
        """As GET /v2/models/{name} has it."""
        return {
            "name": self.name,
            "versions": ["1"],
            "platform": f"edge-bench_{self.facts['runtime']}",
            "inputs": [{"name": INPUT, "datatype": self.takes.datatype, "shape": [-1, *self.takes.image]}],
            "outputs": [
                {"name": "labels", "datatype": "INT64", "shape": [-1]},
                {"name": "scores", "datatype": "FP32", "shape": [-1, self.classes]},
            ],
            "parameters": self.facts,
        }


class Application:
    """An ASGI application: checks the token, counts, and passes on to the routes."""

    def __init__(self, model: Model, model_worker: ModelWorker, bodies: BodyReader, token: str | None) -> None:
        self._model, self._model_worker, self._bodies = model, model_worker, bodies
        self._token = f"Bearer {token}".encode() if token else None
        self._metrics = Metrics(
            lambda: model_worker.pending, lambda: model_worker.restarts, lambda: model_worker.worker_pid
        )
        of_model = [f"/v2/models/{{name}}{version}" for version in ("", "/versions/{version}")]
        self._routes = Starlette(
            routes=[
                *(Route(f"{path}/infer", self._infer, methods=["POST"]) for path in of_model),
                *(Route(f"{path}/ready", self._model_ready) for path in of_model),
                *(Route(path, self._metadata) for path in of_model),
                Route("/v2/health/live", self._live),
                Route("/v2/health/ready", self._ready),
                Route("/v2", self._server),
                Route("/metrics", self._counted),
            ],
            exception_handlers={RequestError: _refusal, 404: _not_found, 405: _not_found},
        )
        self._routes.router.redirect_slashes = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            return
        began, status = time.perf_counter(), 0

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            if self._may(scope):
                await self._routes(scope, receive, noting)
            else:
                fault = RequestError(401, "the token is missing or wrong: send Authorization: Bearer TOKEN")
                await _refused(fault)(scope, receive, noting)
        except asyncio.CancelledError:
            if status:
                raise
            fault = RequestError(503, "the server is being ended", retry_after=10)
            await _refused(fault).at_once(noting)
        finally:
            took = time.perf_counter() - began if scope["path"].endswith("/infer") and status == 200 else None
            self._metrics.answered(status, took)

    def _may(self, scope: Scope) -> bool:
        if self._token is None or scope["path"] in OPEN_TO_ALL:
            return True
        said = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
        return hmac.compare_digest(said, self._token)

    async def _infer(self, request: Request) -> Response:
        self._named(request)
        self._model_worker.admit()
        async with self._bodies.read(request) as body:
            began = time.perf_counter_ns()
            asked = read_request(body, request.headers.get(HEADER_LENGTH), self._model.takes)
            read_ns = time.perf_counter_ns() - began
            answer = await self._model_worker.infer(asked.infer, request.is_disconnected)
        decode_ns = read_ns + answer.inferred.decode_ns
        self._metrics.inferred(answer, asked.infer.count, decode_ns)
        parameters = {
            "queue_ns": answer.queue_ns,
            "decode_ns": decode_ns,
            "compute_ns": answer.inferred.compute_ns,
            "total_ns": time.perf_counter_ns() - began,
        }
        content, length = answered(asked, answer.inferred, self._model.name, parameters)
        if length is None:
            return Response(content, media_type=JSON)
        return Response(content, media_type="application/octet-stream", headers={HEADER_LENGTH: str(length)})

    def _named(self, request: Request) -> None:
        name, version = request.path_params["name"], request.path_params.get("version", "1")
        if name != self._model.name:
            raise RequestError(404, f"no model is called {name[:60]!r}; there is {self._model.name!r}")
        if version != "1":
            raise RequestError(404, f"{name!r} has no version {version[:20]!r}; there is '1'")

    async def _metadata(self, request: Request) -> Response:
        self._named(request)
        return _json(self._model.metadata())

    async def _model_ready(self, request: Request) -> Response:
        self._named(request)
        return await self._ready(request)

    async def _ready(self, _: Request) -> Response:
        return _json({"ready": self._model_worker.ready}, 200 if self._model_worker.ready else 503)

    async def _live(self, _: Request) -> Response:
        return _json({"live": True})

    async def _server(self, _: Request) -> Response:
        return _json({"name": "edge-bench", "version": __version__, "extensions": ["binary_tensor_data"]})

    async def _counted(self, _: Request) -> Response:
        return Reply(self._metrics.text(), media_type=CONTENT_TYPE)


def _json(content: dict[str, Any], status: int = 200) -> Reply:
    return Reply(msgspec.json.encode(content), status, media_type=JSON)


def _refused(fault: RequestError) -> Reply:
    headers = {"Retry-After": str(fault.retry_after)} if fault.retry_after else {}
    if fault.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return Reply(msgspec.json.encode({"error": fault.message}), fault.status, headers, media_type=JSON)


async def _refusal(_: Request, cause: Exception) -> Response:
    assert isinstance(cause, RequestError)  # noqa: S101 - as registered
    return _refused(cause)


async def _not_found(request: Request, cause: Exception) -> Response:
    status = getattr(cause, "status_code", 404)
    what = "no such path" if status == 404 else f"{request.method} is not for this path"
    return _refused(RequestError(status, f"{what}: {request.url.path[:80]}"))
