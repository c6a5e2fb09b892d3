"""Sends signed requests, again and again under the same Idempotency-Key while nobody answers."""

from __future__ import annotations

import json
import random
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import httpx

from settle.client.refusals import exception_of
from settle.client.signer import Signer
from settle.domain.errors import Broken, Unavailable
from settle.signed_request import (
    NONCE_BYTES,
    Request,
    RequestSignature,
    body_digest,
    origin,
    signing_digest,
    write_authorization,
)
from settle.strict_json import read_json

_LIFETIME_S: Final = 120
_FIRST_PAUSE_S: Final = 0.1
_LONGEST_PAUSE_S: Final = 2.0
_REDIRECT: Final = 300
_XML: Final = "application/xml"
"""A refusal in XML is a message that answers a message: the caller reads it."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Reply:
    """A successful answer."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    def json(self) -> Any:  # noqa: ANN401  any JSON
        """Read the content."""
        try:
            return read_json(self.content)
        except ValueError as error:
            raise Broken("the API answered something that is not JSON", code="answer") from error


class Transport:
    """One API and one signer. Threads may share it."""

    def __init__(
        self,
        base_url: str,
        signer: Signer | None,
        *,
        audience: str | None,
        patience_s: float,
        timeout_s: float,
    ) -> None:
        """`patience_s`: how long to go on trying while the API does not answer."""
        self._audience = origin(audience or base_url)
        self._signer = signer
        self._patience_s = patience_s
        self._http = httpx.Client(
            base_url=base_url,
            timeout=httpx.Timeout(timeout_s, pool=None),
            headers={"User-Agent": "settle-client"},
        )

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def get(self, path: str, params: Mapping[str, Any] | None = None, **headers: str) -> Reply:
        """Read."""
        return self._patiently(lambda: self._once("GET", path, params, b"", headers))

    def pages(self, path: str, wanted: Mapping[str, Any], by: str = "cursor") -> Iterator[Any]:
        """Read a list page by page: each page's `next_<by>` asks for the next, null ends."""
        while True:
            page = self.get(path, wanted).json()
            yield page
            following = page[f"next_{by}"]
            if following is None:
                return
            wanted = {**wanted, by: following}

    def get_once(self, path: str) -> Reply:
        """Read, without trying again."""
        return self._once("GET", path, None, b"", {})

    def post(
        self,
        path: str,
        document: object,
        *,
        key: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Send a JSON document; `key` is the Idempotency-Key, a fresh one by default."""
        body = json.dumps(document, separators=(",", ":")).encode()
        return self.post_bytes(path, body, "application/json", key=key, headers=headers)

    def post_bytes(
        self,
        path: str,
        body: bytes,
        media_type: str,
        *,
        key: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Send bytes. The same key goes with every try, so the effect comes once."""
        sent = {
            "Content-Type": media_type,
            "Idempotency-Key": key or secrets.token_hex(16),
            **(headers or {}),
        }
        return self._patiently(lambda: self._once("POST", path, None, body, sent))

    @contextmanager
    def stream(self, path: str, headers: Mapping[str, str], timeout_s: float) -> Iterator[Any]:
        """Open a stream; gives the response. Raises as the other methods do."""
        request = self._signed("GET", path, None, b"", headers)
        request.extensions["timeout"]["read"] = timeout_s
        try:
            response = self._http.send(request, stream=True)
            try:
                if response.status_code >= _REDIRECT:
                    raise exception_of(response.status_code, response.headers, response.read())
                yield response
            finally:
                response.close()
        except httpx.HTTPError as error:
            raise _no_answer(self._http.base_url, error) from error

    def _once(
        self,
        method: str,
        path: str,
        params: Mapping[str, Any] | None,
        body: bytes,
        headers: Mapping[str, str],
    ) -> Reply:
        try:
            response = self._http.send(self._signed(method, path, params, body, headers))
        except httpx.HTTPError as error:
            raise _no_answer(self._http.base_url, error) from error
        told_in_xml = response.headers.get("content-type", "").startswith(_XML)
        if response.status_code >= _REDIRECT and not told_in_xml:
            raise exception_of(response.status_code, response.headers, response.content)
        return Reply(response.status_code, response.headers, response.content)

    def _signed(
        self,
        method: str,
        path: str,
        params: Mapping[str, Any] | None,
        body: bytes,
        headers: Mapping[str, str],
    ) -> httpx.Request:
        given = {name: value for name, value in (params or {}).items() if value is not None}
        request = self._http.build_request(
            method, path, params=given or None, content=body, headers=dict(headers)
        )
        if self._signer is not None:
            request.headers["Authorization"] = self._authorization(self._signer, request, body)
        return request

    def _authorization(self, signer: Signer, request: httpx.Request, body: bytes) -> str:
        expires = int(time.time()) + _LIFETIME_S
        nonce = secrets.token_hex(NONCE_BYTES)
        covered = Request(
            audience=self._audience,
            method=request.method,
            target=request.url.raw_path.decode("ascii"),
            body_digest=body_digest(body),
            idempotency_key=request.headers.get("idempotency-key", ""),
            if_match=request.headers.get("if-match", ""),
        )
        signature = signer.sign(signing_digest(covered, expires, nonce))
        return write_authorization(
            RequestSignature(key=signer.address, expires=expires, nonce=nonce, signature=signature)
        )

    def _patiently(self, attempt: Callable[[], T]) -> T:
        give_up_at = time.monotonic() + self._patience_s
        pause_s = _FIRST_PAUSE_S
        while True:
            try:
                return attempt()
            except Unavailable as error:
                wait_s = max(error.retry_after_s or 0, pause_s * random.uniform(0.5, 1))  # noqa: S311  no secret
                if time.monotonic() + wait_s > give_up_at:
                    raise
                time.sleep(wait_s)
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)


def _no_answer(base_url: object, error: httpx.HTTPError) -> Unavailable:
    return Unavailable(
        f"no answer from the API at {base_url}: {type(error).__name__} {error}",
        code="api_unreachable",
    )
