"""Where every request comes in: size, signature, trace, log line, measurement, and the last net.

Nothing of a body is parsed before its signature is good. Written against ASGI itself, because a
signature covers the bytes and not what they mean.
"""

from __future__ import annotations

import re
import secrets
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders

from settle.api.limits import Limits
from settle.api.logs import log
from settle.api.problems import (
    INTERNAL,
    INTERNAL_DETAIL,
    headers_of,
    problem,
    problem_of,
    problem_response,
)
from settle.domain.errors import InvalidInput, SettleError
from settle.signed_request import Request, body_digest

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from settle.api.authentication import Authenticator
    from settle.api.context import ApiContext, Caller

TRACE_HEADER: Final = "Trace-Id"
PUBLIC: Final = frozenset(
    ("/v1/health/live", "/v1/health/ready", "/v1/metrics", "/v1/openapi.json", "/v1/venue")
)
_TRACEPARENT: Final = re.compile(r"00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}\Z")
_QUIET: Final = frozenset(("/v1/health/live", "/v1/health/ready", "/v1/metrics"))
_STREAM: Final = "text/event-stream"
_STREAM_PATH: Final = "/v1/events"


class _Gone(Exception):
    """The client hung up while it sent."""


class Reception:
    """The outermost of our middleware."""

    def __init__(self, app: ASGIApp, context: ApiContext, authenticator: Authenticator) -> None:
        """Stand before `app`."""
        self._app = app
        self._context = context
        self._authenticator = authenticator
        self._limits = Limits(context.settings, time.monotonic)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take one request in."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        visit = _Visit(scope, send)
        try:
            await self._serve(scope, receive, visit)
        except _Gone:
            visit.status = 499
        except SettleError as error:
            await visit.answer_error(error)
        except Exception as error:  # noqa: BLE001  the last net: whatever it is, it is told and logged
            visit.crash = error
            await visit.answer_crash()
        finally:
            self._note(scope, visit)

    async def _serve(self, scope: Scope, receive: Receive, visit: _Visit) -> None:
        headers = Headers(scope=scope)
        body = await _read(receive, headers, self._context.settings.max_body_bytes)
        visit.bytes_in = len(body)
        state = scope.setdefault("state", {})
        state["trace_id"] = visit.trace_id
        state["body_digest"] = body_digest(body)
        if scope["path"] not in PUBLIC:
            visit.caller = await run_in_threadpool(
                self._authenticator.caller,
                headers.get("authorization"),
                self._context.audiences,
                Request(
                    audience="",
                    method=scope["method"],
                    target=_target(scope),
                    body_digest=state["body_digest"],
                    idempotency_key=headers.get("idempotency-key", ""),
                    if_match=headers.get("if-match", ""),
                ),
            )
            state["caller"] = visit.caller
        caller = visit.caller
        if caller is None:
            await self._app(scope, _again(body, receive), visit.send)
            return
        limits, name = self._limits, caller.name
        try:
            limits.take(name)
        finally:
            visit.limit_headers = limits.headers(name)
        place = limits.stream if scope["path"] == _STREAM_PATH else limits.request
        with place(name):
            await self._app(scope, _again(body, receive), visit.send)

    def _note(self, scope: Scope, visit: _Visit) -> None:
        route = getattr(scope.get("route"), "path", "unmatched")
        method = scope["method"] if route != "unmatched" else "ANY"
        elapsed_s = time.monotonic() - visit.began
        metrics = self._context.metrics
        metrics.requests.labels(method, route, str(visit.status)).inc()
        if not visit.streamed:
            metrics.duration.labels(method, route).observe(elapsed_s)
        if route in _QUIET and visit.status < HTTPStatus.BAD_REQUEST:
            return
        caller = visit.caller
        state = scope.get("state", {})
        write = log().error if visit.status >= HTTPStatus.INTERNAL_SERVER_ERROR else log().info
        write(
            "request",
            method=scope["method"],
            route=route,
            status=visit.status,
            code=state.get("problem_code") or visit.code,
            caller=None if caller is None else caller.name,
            role=None if caller is None else caller.role.value,
            trace_id=visit.trace_id,
            elapsed_ms=round(elapsed_s * 1000),
            bytes_in=visit.bytes_in,
            bytes_out=visit.bytes_out,
            exc_info=visit.crash or state.get("crash"),
        )


class _Visit:
    """What is known of one request, and the way its answer goes out."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self.began = time.monotonic()
        told = _TRACEPARENT.match(Headers(scope=scope).get("traceparent", ""))
        self.trace_id = told[1] if told else secrets.token_hex(16)
        self.caller: Caller | None = None
        self.crash: Exception | None = None
        self.code = ""
        self.status = 0
        self.bytes_in = 0
        self.bytes_out = 0
        self.streamed = False
        self.limit_headers: dict[str, str] = {}
        self._scope = scope
        self._send = send

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            headers[TRACE_HEADER] = self.trace_id
            headers.setdefault("Cache-Control", "no-store")
            headers["X-Content-Type-Options"] = "nosniff"
            headers.update(self.limit_headers)
            self.streamed = headers.get("content-type", "").startswith(_STREAM)
        elif message["type"] == "http.response.body":
            self.bytes_out += len(message.get("body", b""))
        await self._send(message)

    async def answer_error(self, error: SettleError) -> None:
        self.code = error.code
        if self.status == 0:
            told = problem_of(error, self.trace_id)
            response = problem_response(told, headers_of(error))
            await response(self._scope, _nothing, self.send)

    async def answer_crash(self) -> None:
        self.code = INTERNAL
        if self.status == 0:
            told = problem(
                HTTPStatus.INTERNAL_SERVER_ERROR, INTERNAL, INTERNAL_DETAIL, self.trace_id
            )
            await problem_response(told)(self._scope, _nothing, self.send)
        self.status = HTTPStatus.INTERNAL_SERVER_ERROR


async def _read(receive: Receive, headers: Headers, limit: int) -> bytes:
    """Read the whole body. Raises InvalidInput as soon as it is known to be too large."""
    declared = headers.get("content-length", "0")
    if declared.isdecimal() and int(declared[:20]) > limit:
        raise _too_large(limit)
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Gone
        part = message.get("body", b"")
        size += len(part)
        if size > limit:
            raise _too_large(limit)
        parts.append(part)
        if not message.get("more_body", False):
            return b"".join(parts)


def _too_large(limit: int) -> InvalidInput:
    return InvalidInput("body_too_large", f"a body has at most {limit} bytes")


def _target(scope: Scope) -> str:
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    query: bytes = scope.get("query_string", b"")
    return (raw + b"?" + query if query else raw).decode("latin-1")


def _again(body: bytes, receive: Receive) -> Receive:
    """Hand out the body that was read, and then whatever else comes, such as the end."""
    given = False

    async def replay() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


async def _nothing() -> Message:
    return {"type": "http.disconnect"}
