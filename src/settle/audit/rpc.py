"""The auditor's own line to a node: JSON-RPC over one kept HTTP connection a thread.

Nothing that comes back is believed; see blocks.py for what it is checked against.
"""

from __future__ import annotations

import http.client
import json
import ssl
import threading
from collections.abc import Sequence
from typing import Final, Protocol
from urllib.parse import urlsplit

from settle.audit.wire import Json, NodeError
from settle.domain.errors import InvalidInput, Unavailable

_TIMEOUT_S: Final = 60
_TRIES: Final = 2
_HTTP_OK: Final = 200
_LARGEST_ANSWER: Final = 1 << 28
METHOD_NOT_FOUND: Final = -32601

Call = tuple[str, Sequence[Json]]
"""A method and its parameters."""


class NodeLine(Protocol):
    """What the auditor asks of a node."""

    def call(self, method: str, *params: Json) -> Json:
        """Ask one thing. Raises NodeError, Unavailable."""

    def batch(self, calls: Sequence[Call]) -> Sequence[Json | NodeError]:
        """Ask many things; an answer or an error for each, in order. Raises Unavailable."""

    def close(self) -> None:
        """Give back what the calling thread uses; a later call takes it again."""


class HttpLine:
    """A node behind an http or https address. Threads may share it."""

    def __init__(self, url: str, *, max_batch: int = 100) -> None:
        """`max_batch`: calls in one request."""
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise InvalidInput("rpc_url", f"{url!r} is no http or https address")
        self.url = url
        self._secure = parts.scheme == "https"
        self._host, self._port = parts.hostname, parts.port or (443 if self._secure else 80)
        self._path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._max_batch = max_batch
        self._local = threading.local()

    def call(self, method: str, *params: Json) -> Json:
        """Ask one thing."""
        answer = self.batch([(method, params)])[0]
        if isinstance(answer, NodeError):
            raise answer
        return answer

    def batch(self, calls: Sequence[Call]) -> Sequence[Json | NodeError]:
        """Ask many things, in as many requests as the node wants."""
        answers: list[Json | NodeError] = []
        for start in range(0, len(calls), self._max_batch):
            answers += self._batch(calls[start : start + self._max_batch])
        return answers

    def _batch(self, calls: Sequence[Call]) -> list[Json | NodeError]:
        body = [
            {"jsonrpc": "2.0", "id": index, "method": method, "params": list(params)}
            for index, (method, params) in enumerate(calls)
        ]
        answer = self._post(json.dumps(body, separators=(",", ":")).encode())
        if isinstance(answer, dict):  # one answer for all of them: an error
            answer = [{**answer, "id": index} for index in range(len(calls))]
        by_id = {item.get("id"): item for item in answer if isinstance(item, dict)}
        if any(index not in by_id for index in range(len(calls))):
            raise self._nonsense(f"{len(by_id)} answers to {len(calls)} calls")
        return [_result(by_id[index]) for index in range(len(calls))]

    def _post(self, octets: bytes) -> Json:
        for attempt in range(_TRIES):
            try:
                return self._exchange(octets)
            except (OSError, http.client.HTTPException) as error:
                self.close()
                # A kept connection may have been closed by the node; a fresh one tells the truth.
                if attempt == _TRIES - 1:
                    raise Unavailable(
                        f"no answer from the node at {self.url}: {type(error).__name__} {error}",
                        code="node_unreachable",
                    ) from error
        raise AssertionError

    def _exchange(self, octets: bytes) -> Json:
        connection = self._connection()
        connection.request("POST", self._path, octets, {"Content-Type": "application/json"})
        response = connection.getresponse()
        content = response.read(_LARGEST_ANSWER + 1)
        if len(content) > _LARGEST_ANSWER:
            self.close()
            raise self._nonsense(f"more than {_LARGEST_ANSWER} bytes")
        if response.status != _HTTP_OK:
            raise Unavailable(
                f"the node at {self.url} answered HTTP {response.status}", code="node_http_status"
            )
        try:
            answer = json.loads(content)
        except (ValueError, RecursionError):
            raise self._nonsense("no JSON") from None
        if not isinstance(answer, dict | list):
            raise self._nonsense("neither an object nor a list")
        return answer

    def _connection(self) -> http.client.HTTPConnection:
        connection: http.client.HTTPConnection | None = getattr(self._local, "connection", None)
        if connection is None:
            if self._secure:
                context = ssl.create_default_context()
                connection = http.client.HTTPSConnection(
                    self._host, self._port, timeout=_TIMEOUT_S, context=context
                )
            else:
                connection = http.client.HTTPConnection(self._host, self._port, timeout=_TIMEOUT_S)
            self._local.connection = connection
        return connection

    def _nonsense(self, what: str) -> Unavailable:
        return Unavailable(f"the node at {self.url} answered nonsense: {what}", code="node_answer")

    def close(self) -> None:
        """Close this thread's connection; the next call opens another."""
        connection = getattr(self._local, "connection", None)
        if connection is not None:
            connection.close()
            self._local.connection = None


def _result(answer: Json) -> Json | NodeError:
    error = answer.get("error")
    if error is None:
        return answer.get("result")
    if not isinstance(error, dict):
        return NodeError(0, str(error))
    number = error.get("code")
    return NodeError(
        number if isinstance(number, int) else 0,
        str(error.get("message", "")),
        error.get("data"),
    )
