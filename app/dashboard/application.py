"""Routes of the dashboard. Pages are made in a thread, one at a time, and the same page only once per snapshot."""

import asyncio
import datetime
import urllib.parse
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from edge_bench.app.dashboard.access import COOKIE, Access
from edge_bench.app.dashboard.exports import MEDIA_TYPES, export
from edge_bench.app.dashboard.nights.pages import NightPage, night_list_page
from edge_bench.app.dashboard.nights.reading import NightFolder, run_path
from edge_bench.app.dashboard.pages import login_page, not_found_page, overview_page, series_page
from edge_bench.app.dashboard.snapshot import Snapshot, Snapshots
from edge_bench.app.render.formats import Format
from edge_bench.app.serving.errors import RequestError
from edge_bench.app.serving.request_body import BodyReader
from edge_bench.bench.errors import EdgeBenchError
from edge_bench.bench.records.nights.night import Night

__all__ = ["Dashboard"]

#: Pages that are kept, of about 0.2 to 2 MB each.
_KEPT_PAGES = 32
_FORM_BYTES, _FORM_SECONDS = 16 << 10, 10.0
_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'"
    ),
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
#: Health checks need no token, so that container engines and monitors can make them.
_UNAUTHENTICATED = ("/login", "/health/live")


class Dashboard:
    """ASGI application that checks the token and answers with pages. It writes nothing."""

    def __init__(self, snapshots: Snapshots, access: Access, silent_after_s: float, *, secure: bool) -> None:
        self._snapshots, self._access, self._silent_after_s, self._secure = snapshots, access, silent_after_s, secure
        self._bodies = BodyReader(_FORM_BYTES, _FORM_SECONDS, max_total_bytes=16 * _FORM_BYTES)
        self._making = asyncio.Lock()
        self._kept: OrderedDict[str, str] = OrderedDict()
        self._kept_of: Snapshot | None = None  # the snapshot that the kept pages show
        self._routes = Starlette(
            routes=[
                Route("/", self._overview),
                Route("/series/{name}", self._series),
                Route("/runs/{run_id}", self._run),
                Route("/nights/{place}", self._nights),
                Route("/nights/{place}/{number:int}", self._night),
                Route("/nights/{place}/{number:int}/{name}", self._night_run),
                Route("/export/history.{form}", self._export),
                Route("/login", self._login, methods=["GET", "POST"]),
                Route("/health/live", self._live),
            ],
            exception_handlers={
                RequestError: _on_request_error, HTTPException: _on_http_exception, Exception: _on_bug,
            },
        )  # fmt: skip
        self._routes.router.redirect_slashes = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        answer = self._refusal(scope) or self._routes
        await answer(scope, receive, send)

    def _refusal(self, scope: Scope) -> Response | None:
        if not self._access.knows_host(scope):
            return _text("unknown host name: set a token to use another name than the address", 421)
        if scope["path"] in _UNAUTHENTICATED or self._access.allows(scope):
            return None
        if scope["path"] == "/":
            return RedirectResponse("/login", 303, _HEADERS)
        return _text("the token is missing or wrong: open /login, or send Authorization: Bearer TOKEN", 401)

    async def _overview(self, request: Request) -> Response:  # noqa: ARG002
        snapshot = await self._snapshot()
        now = _now()
        # ages change with time, so this page is not kept
        async with self._making:
            text = await asyncio.to_thread(overview_page, snapshot, now, self._silent_after_s)
        return _html(text)

    async def _series(self, request: Request) -> Response:
        snapshot = await self._snapshot()
        series = snapshot.series_of(request.path_params["name"])
        if series is None:
            return _html(not_found_page("No such configuration"), 404)
        text = await self._page(snapshot, request.url.path, lambda: series_page(snapshot, series, _now()))
        return _html(text)

    async def _run(self, request: Request) -> Response:
        snapshot = await self._snapshot()
        fact = snapshot.run_of(request.path_params["run_id"])
        return await self._report(snapshot, request, fact.path if fact else None)

    async def _report(self, snapshot: Snapshot, request: Request, path: Path | None) -> Response:
        if path is None:
            return _html(not_found_page("No such Run"), 404)
        try:
            text = await self._page(snapshot, request.url.path, lambda: _report_of(path))
        except EdgeBenchError as cause:  # the file was replaced or deleted since
            return _html(not_found_page(f"This Run cannot be shown: {cause.problem}"), 404)
        return _html(text)

    async def _nights(self, request: Request) -> Response:
        snapshot = await self._snapshot()
        folder = snapshot.nights_of(request.path_params["place"])
        if folder is None:
            return _html(not_found_page("No such folder of nights"), 404)
        return _html(await asyncio.to_thread(night_list_page, folder, _now()))

    async def _night(self, request: Request) -> Response:
        snapshot = await self._snapshot()
        folder, night, problem = await _night_of(snapshot, request)
        if folder is None or night is None:
            what = f"The record of this night cannot be read: {problem}" if problem else "No such night"
            return _html(not_found_page(what), 404)
        known = {run.run_id for run in snapshot.runs}
        return _html(await asyncio.to_thread(NightPage(folder, night, known).page, _now()))

    async def _night_run(self, request: Request) -> Response:
        """Answer with the report of a Run that a night's record names; it need not be one of the results."""
        snapshot = await self._snapshot()
        folder, night, _ = await _night_of(snapshot, request)
        path = run_path(folder.folder, night, request.path_params["name"]) if folder and night else None
        return await self._report(snapshot, request, path)

    async def _export(self, request: Request) -> Response:
        form = request.path_params["form"]
        if form not in MEDIA_TYPES:
            raise HTTPException(404)
        snapshot = await self._snapshot()
        headers = {**_HEADERS, "content-disposition": f'attachment; filename="history.{form}"'}
        return StreamingResponse(export(snapshot.series, Format(form)), 200, headers, MEDIA_TYPES[Format(form)])

    async def _login(self, request: Request) -> Response:
        if request.method != "POST":
            return _html(login_page())
        async with self._bodies.read(request) as body:
            fields = urllib.parse.parse_qs(bytes(body), max_num_fields=8)
        if not self._access.is_token(fields.get(b"token", [b""])[0].strip()):
            return _html(login_page("This is not the token."), 401)
        answer = RedirectResponse("/", 303, _HEADERS)
        answer.set_cookie(COOKIE, self._access.cookie, httponly=True, samesite="strict", secure=self._secure)
        return answer

    async def _live(self, request: Request) -> Response:  # noqa: ARG002
        return _text("alive", 200)

    async def _snapshot(self) -> Snapshot:
        return await asyncio.to_thread(self._snapshots.newest)

    async def _page(self, snapshot: Snapshot, path: str, make: Callable[[], str]) -> str:
        async with self._making:
            if snapshot is not self._kept_of:
                self._kept.clear()
                self._kept_of = snapshot
            if path not in self._kept:
                self._kept[path] = await asyncio.to_thread(make)
            self._kept.move_to_end(path)
            while len(self._kept) > _KEPT_PAGES:
                self._kept.popitem(last=False)
            return self._kept[path]


async def _night_of(snapshot: Snapshot, request: Request) -> tuple[NightFolder | None, Night | None, str]:
    """Return the folder and the night that an address names, and what is wrong with the night's record."""
    folder = snapshot.nights_of(request.path_params["place"])
    if folder is None:
        return None, None, ""
    return folder, *await asyncio.to_thread(folder.read, request.path_params["number"])


def _report_of(path: Path) -> str:
    from edge_bench.app.report.bundle_section import bundle_sections
    from edge_bench.app.report.page import report_page
    from edge_bench.bench.records.run_files import read_run

    return report_page(bundle_sections([read_run(path)], []))


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


def _html(text: str, status: int = 200) -> Response:
    return HTMLResponse(text.encode("utf-8", "replace"), status, _HEADERS)


def _text(text: str, status: int) -> Response:
    return PlainTextResponse(f"{text}\n", status, _HEADERS)


def _on_request_error(request: Request, error: Exception) -> Response:  # noqa: ARG001
    assert isinstance(error, RequestError)  # noqa: S101 - registered for it
    return _text(error.message, error.status)


def _on_http_exception(request: Request, error: Exception) -> Response:  # noqa: ARG001
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for it
    what = {404: "No such page", 405: "This dashboard only reads: use GET"}.get(error.status_code, error.detail)
    return _html(not_found_page(what), error.status_code)


def _on_bug(request: Request, error: Exception) -> Response:  # noqa: ARG001
    return _text("this page cannot be made, because of a fault of edge-bench; its log has the details", 500)
