"""JSON-RPC over HTTP: single calls and batches, connections kept, nothing cached.

Every request may be sent again: what changes the chain is signed bytes, which count once however
often they arrive. So a connection that the node closed meanwhile is simply opened anew.
"""

from __future__ import annotations

import http.client
import json
import ssl
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from settle.domain.errors import InvalidInput, SettleError, Unavailable
from settle.strict_json import read_json

if TYPE_CHECKING:
    from collections.abc import Sequence

Json = Any  # what read_json gives; the typed reading of it is in node.py

_HTTP_OK: Final = 200
_TRIES: Final = 2


class RpcError(SettleError):
    """The node answered with an error object. What it means is for the caller to judge."""

    def __init__(self, number: int, message: str, data: Json) -> None:
        """Keep the three members of a JSON-RPC error."""
        super().__init__(message, code="rpc_error")
        self.number = number
        self.data = data


@dataclass(frozen=True, slots=True)
class Call:
    """One request: a method and its parameters, as JSON."""

    method: str
    params: tuple[Json, ...] = ()


class _Plain(http.client.HTTPConnection):
    """A connection that closes when the thread that it belongs to is gone."""

    def __del__(self) -> None:
        self.close()


class _Secure(http.client.HTTPSConnection):
    """The same over TLS."""

    def __del__(self) -> None:
        self.close()


class Rpc:
    """A JSON-RPC address. Threads may share it; each keeps a connection of its own."""

    def __init__(self, url: str, *, timeout_s: int = 30, max_batch: int = 100) -> None:
        """`max_batch`: how many calls the node takes in one request."""
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise InvalidInput("rpc_url", f"{url!r} is not an http address of a node")
        self.url = url
        self._secure = parts.scheme == "https"
        self._host = parts.hostname
        self._port = parts.port
        self._path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._timeout_s = timeout_s
        self._max_batch = max_batch
        self._local = threading.local()

    def call(self, method: str, *params: Json) -> Json:
        """Call once. RpcError if the node answers with an error, Unavailable if not at all."""
        answer = self._post({"jsonrpc": "2.0", "id": 0, "method": method, "params": list(params)})
        result = _result(answer)
        if isinstance(result, RpcError):
            raise result
        return result

    def batch(self, calls: Sequence[Call]) -> list[Json | RpcError]:
        """Make many calls in as few requests as the node allows; an answer or an error for each."""
        answers: list[Json | RpcError] = []
        for start in range(0, len(calls), self._max_batch):
            answers += self._batch(calls[start : start + self._max_batch])
        return answers

    def _batch(self, calls: Sequence[Call]) -> list[Json | RpcError]:
        answer = self._post(
            [
                {"jsonrpc": "2.0", "id": index, "method": call.method, "params": list(call.params)}
                for index, call in enumerate(calls)
            ]
        )
        if not isinstance(answer, list):
            failure = _result(answer)
            raise failure if isinstance(failure, RpcError) else self._nonsense("no list")
        by_id = {item.get("id"): item for item in answer if isinstance(item, dict)}
        if len(by_id) != len(calls) or any(index not in by_id for index in range(len(calls))):
            raise self._nonsense(f"{len(by_id)} answers to {len(calls)} calls")
        return [_result(by_id[index]) for index in range(len(calls))]

    def _post(self, body: Json) -> Json:
        octets = json.dumps(body, separators=(",", ":")).encode()
        for attempt in range(_TRIES):
            fresh = getattr(self._local, "connection", None) is None
            try:
                return self._exchange(octets)
            except (OSError, http.client.HTTPException) as error:
                self.close()
                # A kept connection may have been closed by the node; a fresh one tells the truth.
                if fresh or attempt == _TRIES - 1:
                    raise Unavailable(
                        f"no answer from the node at {self.url}: {type(error).__name__} {error}",
                        code="node_unreachable",
                    ) from error
        raise AssertionError

    def _exchange(self, octets: bytes) -> Json:
        connection = self._connection()
        connection.request(
            "POST", self._path, octets, {"Content-Type": "application/json", "Accept": "*/*"}
        )
        response = connection.getresponse()
        content = response.read()
        if response.status != _HTTP_OK:
            raise Unavailable(
                f"the node at {self.url} answered HTTP {response.status}", code="node_http_status"
            )
        try:
            return read_json(content)
        except ValueError as error:
            raise self._nonsense("no JSON") from error

    def _connection(self) -> http.client.HTTPConnection:
        connection: http.client.HTTPConnection | None = getattr(self._local, "connection", None)
        if connection is None:
            if self._secure:
                context = ssl.create_default_context()
                connection = _Secure(
                    self._host, self._port, timeout=self._timeout_s, context=context
                )
            else:
                connection = _Plain(self._host, self._port, timeout=self._timeout_s)
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


def _result(answer: Json) -> Json | RpcError:
    if not isinstance(answer, dict) or ("result" not in answer and "error" not in answer):
        raise Unavailable("the node answered with no JSON-RPC object", code="node_answer")
    error = answer.get("error")
    if error is None:
        return answer["result"]
    if not isinstance(error, dict):
        return RpcError(0, str(error), None)
    return RpcError(int(error.get("code", 0)), str(error.get("message", "")), error.get("data"))
