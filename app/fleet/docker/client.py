"""The Docker SDK's client with limits on responses of an engine, and only the given certificate authority."""

import contextlib
import http
import json
import time
from collections.abc import Iterator
from typing import Any

from edge_bench.app.fleet.docker.errors import BadAnswer, one_line
from edge_bench.bench.errors import MissingDependency

__all__ = ["MAX_ANSWER_BYTES", "bounded_client", "docker_sdk", "load_errors"]

#: Limit on a response in memory: lists, descriptions, logs. A swarm of 1,000 nodes responds with about 3 MB.
MAX_ANSWER_BYTES = 8 << 20
_LEAST_SECONDS = 60.0
#: Unpacking an image on a slow SD card takes minutes.
_LOAD_SECONDS = 3600.0


def bounded_client(**arguments: Any) -> Any:
    """Return the SDK's client. It reads responses up to 8 MiB and within twice the timeout.

    Streams that the caller reads in pieces are not limited here.

    In requests, REQUESTS_CA_BUNDLE, which company networks set, overrides the session's certificate authority
    (https://github.com/psf/requests/issues/3829). Engines with their own authority would then be unreachable.
    """
    docker = docker_sdk()

    def settings(api: Any, url: str, proxies: Any, stream: Any, verify: Any, cert: Any) -> dict[str, Any]:
        merged = docker.APIClient.merge_environment_settings(api, url, proxies, stream, verify, cert)
        return {**merged, "verify": api.verify if verify is None else verify}

    def send(api: Any, request: Any, **options: Any) -> Any:
        streamed = options.get("stream")
        response = docker.APIClient.send(api, request, **{**options, "stream": True})
        if not streamed or response.status_code >= http.HTTPStatus.BAD_REQUEST:
            timeout = options.get("timeout")
            seconds = timeout if isinstance(timeout, int | float) else 0
            _limit(response, time.monotonic() + max(_LEAST_SECONDS, 2 * seconds))
            _ = response.content  # read the content now, as a request without a stream does
        return response

    # engines do not redirect: a hostile one could redirect requests to other servers of this network
    methods = {"merge_environment_settings": settings, "send": send, "get_redirect_target": lambda *_: None}
    client = docker.DockerClient.__new__(docker.DockerClient)  # its __init__ would create a plain APIClient
    client.api = type("BoundedClient", (docker.APIClient,), methods)(**arguments)
    return client


def load_errors(client: Any, archive: Iterator[bytes]) -> Iterator[str]:
    """Send an image as `docker load` does, and yield the errors among the engine's progress messages.

    The SDK's own method would keep a message of any length.
    """
    import docker.errors
    import requests.exceptions

    api = client.api
    response = api.post(
        f"{api.base_url}/v{api.api_version}/images/load", data=archive, timeout=api.timeout, stream=True
    )
    try:
        response.raise_for_status()
    except requests.exceptions.HTTPError as cause:
        _limit(response, time.monotonic() + _LEAST_SECONDS)
        docker.errors.create_api_error_from_http_exception(cause)
    _limit(response, time.monotonic() + _LOAD_SECONDS)
    for line in response.content.splitlines():
        with contextlib.suppress(ValueError, RecursionError):
            message = json.loads(line)
            if isinstance(message, dict) and message.get("error"):
                yield one_line(message["error"])


def _limit(response: Any, deadline: float) -> None:
    """Limit the bytes and the time of reading a response's content."""
    unlimited = response.iter_content

    def iter_content(*arguments: Any, **options: Any) -> Iterator[bytes]:
        total = 0
        for chunk in unlimited(*arguments, **options):
            total += len(chunk)
            if total > MAX_ANSWER_BYTES or time.monotonic() > deadline:
                response.close()
                what = f"more than {MAX_ANSWER_BYTES:,} bytes" if total > MAX_ANSWER_BYTES else "too slow"
                raise BadAnswer(f"its response is {what}")
            yield chunk

    response.iter_content = iter_content


def docker_sdk() -> Any:
    """Return the module ``docker``. Raise MissingDependency if it is not installed."""
    try:
        import docker
    except ImportError:
        raise MissingDependency("the Docker SDK is not installed", "pip install 'edge-bench[host]'") from None
    return docker
