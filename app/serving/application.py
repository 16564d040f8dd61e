"""Routes of the Open Inference Protocol, and authorization with a bearer token."""

import asyncio
import hmac
import time
from typing import Any, Protocol

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from edge_bench.app.serving.errors import RequestError
from edge_bench.app.serving.metrics import CONTENT_TYPE, Metrics
from edge_bench.app.serving.model_worker import ModelWorker
from edge_bench.app.serving.open_inference import (
    HEADER_LENGTH,
    INPUT,
    AcceptedInput,
    Body,
    InferenceRequest,
    encode_response,
    read_request,
)
from edge_bench.app.serving.request_body import BodyReader, Reply
from edge_bench.bench.runtimes.scores import class_count
from edge_bench.bench.version import __version__
from edge_bench.bench.worker.graphs.serving_messages import InferGraph
from edge_bench.bench.worker.messages import Infer, Inferred, Opened

__all__ = ["Application", "Classifier", "ServedModel"]

JSON = "application/json"
#: Health checks need no token, so that container engines and monitors can make them.
UNAUTHENTICATED_PATHS = ("/v2/health/live", "/v2/health/ready")


class ModelRequest(Protocol):
    """A request that fits the model; its tensor data is not checked yet."""

    @property
    def infer(self) -> Infer | InferGraph:
        """The message to the worker."""

    @property
    def examples(self) -> int:
        """Number of examples in the request."""


class ServedModel(Protocol):
    """The served model: its metadata, and conversion of its requests and responses."""

    @property
    def name(self) -> str:
        """The model's name in paths."""

    def metadata(self) -> dict[str, Any]:
        """Return the response to GET /v2/models/{name}."""

    def read(self, body: bytes | bytearray, header_length: str | None) -> ModelRequest:
        """Return the request in a body. Raise RequestError if it does not fit the model."""

    def respond(self, request: Any, inferred: Any, parameters: dict[str, Any]) -> Body:
        """Return the response to a request of `read`, with the worker's reply."""


class Classifier(msgspec.Struct, frozen=True, kw_only=True):
    """A classifier with the input ``images`` and the outputs ``labels`` and ``scores``."""

    name: str
    input: AcceptedInput
    classes: int
    facts: dict[str, str]  # identify the bundle, variant, runtime and machine

    def metadata(self) -> dict[str, Any]:
        """Return the response to GET /v2/models/{name}."""
        return {
            "name": self.name,
            "versions": ["1"],
            "platform": f"edge-bench_{self.facts['runtime']}",
            "inputs": [{"name": INPUT, "datatype": self.input.datatype, "shape": [-1, *self.input.image_shape]}],
            "outputs": [
                {"name": "labels", "datatype": "INT64", "shape": [-1]},
                {"name": "scores", "datatype": "FP32", "shape": [-1, self.classes]},
            ],
            "parameters": self.facts,
        }

    def with_opened(self, opened: Any) -> "Classifier":
        """Return the classifier with the worker's description of it."""
        assert isinstance(opened, Opened)  # noqa: S101 - the worker's reply to `Open`
        return msgspec.structs.replace(self, classes=class_count(opened.output))

    def read(self, body: bytes | bytearray, header_length: str | None) -> InferenceRequest:
        """Return the request in a body. Raise RequestError if it does not fit the model."""
        return read_request(body, header_length, self.input)

    def respond(self, request: Any, inferred: Any, parameters: dict[str, Any]) -> Body:
        """Return the response to a request of `read`."""
        assert isinstance(request, InferenceRequest)  # noqa: S101 - the caller has it from `read`
        assert isinstance(inferred, Inferred)  # noqa: S101 - the worker's reply to its message
        return encode_response(request, inferred, self.name, parameters)


class Application:
    """ASGI application that checks the token, counts requests and calls the route."""

    def __init__(self, model: ServedModel, model_worker: ModelWorker, bodies: BodyReader, token: str | None) -> None:
        self._model, self._model_worker, self._bodies = model, model_worker, bodies
        self._token = f"Bearer {token}".encode() if token else None
        self._metrics = Metrics(
            lambda: model_worker.pending,
            lambda: model_worker.restarts,
            lambda: model_worker.unclassified,
            lambda: model_worker.worker_pid,
        )
        model_paths = [f"/v2/models/{{name}}{version}" for version in ("", "/versions/{version}")]
        self._routes = Starlette(
            routes=[
                *(Route(f"{path}/infer", self._infer, methods=["POST"]) for path in model_paths),
                *(Route(f"{path}/ready", self._model_ready) for path in model_paths),
                *(Route(path, self._model_metadata) for path in model_paths),
                Route("/v2/health/live", self._live),
                Route("/v2/health/ready", self._ready),
                Route("/v2", self._server_metadata),
                Route("/metrics", self._metrics_text),
            ],
            exception_handlers={RequestError: _on_request_error, HTTPException: _on_http_exception, Exception: _on_bug},
        )
        self._routes.router.redirect_slashes = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        started_at, status = time.perf_counter(), 0

        async def send_and_record_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            if self._is_authorized(scope):
                await self._routes(scope, receive, send_and_record_status)
            else:
                error = RequestError(401, "the token is missing or wrong: send Authorization: Bearer TOKEN")
                await _error_response(error)(scope, receive, send_and_record_status)
        except asyncio.CancelledError:
            if status:
                raise
            error = RequestError(503, "the server is shutting down", retry_after=10)
            await _error_response(error).send_and_close(send_and_record_status)
        finally:
            is_inference = scope["path"].endswith("/infer") and status == 200
            self._metrics.count_request(status, time.perf_counter() - started_at if is_inference else None)

    def _is_authorized(self, scope: Scope) -> bool:
        if self._token is None or scope["path"] in UNAUTHENTICATED_PATHS:
            return True
        authorization = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
        return hmac.compare_digest(authorization, self._token)

    async def _infer(self, http_request: Request) -> Response:
        self._check_name(http_request)
        self._model_worker.admit()
        async with self._bodies.read(http_request) as body:
            started_at = time.perf_counter_ns()
            request = self._model.read(body, http_request.headers.get(HEADER_LENGTH))
            parse_ns = time.perf_counter_ns() - started_at
            answer = await self._model_worker.infer(request.infer, http_request.is_disconnected)
        decode_ns = parse_ns + answer.inferred.decode_ns
        self._metrics.observe_inference(answer, request.examples, decode_ns)
        parameters = {
            "queue_ns": answer.queue_ns,
            "decode_ns": decode_ns,
            "compute_ns": answer.inferred.compute_ns,
            "total_ns": time.perf_counter_ns() - started_at,
        }
        content, length = self._model.respond(request, answer.inferred, parameters)
        if length is None:
            return Response(content, media_type=JSON)
        return Response(content, media_type="application/octet-stream", headers={HEADER_LENGTH: str(length)})

    def _check_name(self, request: Request) -> None:
        name, version = request.path_params["name"], request.path_params.get("version", "1")
        if name != self._model.name:
            raise RequestError(404, f"unknown model {name[:60]!r}; this server has {self._model.name!r}")
        if version != "1":
            raise RequestError(404, f"{name!r} has no version {version[:20]!r}; use version '1'")

    async def _model_metadata(self, request: Request) -> Response:
        self._check_name(request)
        return _json(self._model.metadata())

    async def _model_ready(self, request: Request) -> Response:
        self._check_name(request)
        return await self._ready(request)

    async def _ready(self, _: Request) -> Response:
        return _json({"ready": self._model_worker.ready}, 200 if self._model_worker.ready else 503)

    async def _live(self, _: Request) -> Response:
        return _json({"live": True})

    async def _server_metadata(self, _: Request) -> Response:
        return _json({"name": "edge-bench", "version": __version__, "extensions": ["binary_tensor_data"]})

    async def _metrics_text(self, _: Request) -> Response:
        return Reply(self._metrics.text(), media_type=CONTENT_TYPE)


def _json(content: dict[str, Any], status: int = 200) -> Reply:
    return Reply(msgspec.json.encode(content), status, media_type=JSON)


def _error_response(error: RequestError) -> Reply:
    headers = {"Retry-After": str(error.retry_after)} if error.retry_after else {}
    if error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return Reply(error.json, error.status, headers, media_type=JSON)


async def _on_request_error(_: Request, cause: Exception) -> Response:
    assert isinstance(cause, RequestError)  # noqa: S101 - registered only for this type
    return _error_response(cause)


async def _on_http_exception(request: Request, cause: Exception) -> Response:
    status = getattr(cause, "status_code", 400)
    reasons = {404: "unknown path", 405: f"{request.method} is not allowed for this path"}
    return _error_response(RequestError(status, f"{reasons.get(status, 'refused')}: {request.url.path[:80]}"))


async def _on_bug(_: Request, __: Exception) -> Response:
    """Respond without details; uvicorn prints the traceback on stderr."""
    return _error_response(RequestError(500, "internal server error"))
