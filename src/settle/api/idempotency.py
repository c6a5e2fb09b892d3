"""Does what a POST asks for once, however often it is sent (header Idempotency-Key).

The key, the effect and the answer are written in one database transaction: after a crash either
all of them are there or none. A refusal is an answer too, and is kept like one; what may go better
next time (503, 500) and what was never understood (422 for its form) is not.
"""

from __future__ import annotations

import json
import threading
import zlib
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeVar

from fastapi import Header
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from settle.api.problems import MEDIA_TYPE as PROBLEM
from settle.api.problems import headers_of, problem_of
from settle.api.receipt_documents import HEADER, receipt_header
from settle.domain.errors import Conflict, InvalidInput, Refused, SettleError
from settle.services.receipts import acceptance

if TYPE_CHECKING:
    from pydantic import BaseModel
    from sqlalchemy import Connection

    from settle.api.context import ApiContext, Caller

JSON: Final = "application/json"
_ABANDONED_S: Final = 60
"""A key that another process took and never answered is free again after this time."""

KeyHeader = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        pattern=r"^[\x21-\x7e]+$",
        description="Your name for this request: the same one when you send it again.",
        examples=["3f0c9a3e-8f0b-4a52-9f5d-2d9f4f7f0a11"],
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a POST is answered with, now and each time it is sent again.

    `subjects`: the trades and escrows that it accepted something about, for the receipt.
    """

    status: int
    body: bytes
    media_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)
    subjects: Sequence[Mapping[str, Any]] = ()

    def about(self, subjects: Iterable[Mapping[str, Any]]) -> Answer:
        """Say what was accepted."""
        return replace(self, subjects=tuple(subjects))

    def response(self, *, replayed: bool = False) -> Response:
        """Write it as a response."""
        headers = dict(self.headers)
        if replayed:
            headers["Idempotency-Replayed"] = "true"
        return Response(
            self.body, status_code=self.status, media_type=self.media_type, headers=headers
        )

    def packed(self) -> bytes:
        """Write it as bytes to be kept."""
        head = {"media_type": self.media_type, "headers": dict(self.headers)}
        return zlib.compress(json.dumps(head).encode() + b"\n" + self.body, level=1)


def unpacked(status: int, octets: bytes) -> Answer:
    """Read an answer that was kept."""
    head, _, body = zlib.decompress(octets).partition(b"\n")
    told = json.loads(head)
    return Answer(status=status, body=body, media_type=told["media_type"], headers=told["headers"])


def json_answer(status: HTTPStatus, document: BaseModel, **headers: str) -> Answer:
    """Answer with a document; names of headers have _ for -."""
    return Answer(
        status=status.value,
        body=document.model_dump_json().encode(),
        headers={name.replace("_", "-"): value for name, value in headers.items()},
    )


def problem_answer(error: SettleError, trace_id: str) -> Answer:
    """Answer with a problem document."""
    told = problem_of(error, trace_id)
    return Answer(
        status=told.status,
        body=told.model_dump_json().encode(),
        media_type=PROBLEM,
        headers=headers_of(error),
    )


class Underway:
    """Keys that requests of this process work under right now."""

    def __init__(self) -> None:
        """Begin with none."""
        self._keys: set[tuple[str, str]] = set()
        self._lock = threading.Lock()

    @contextmanager
    def claimed(self, name: str, key: str) -> Iterator[None]:
        """Hold a key. Raises Conflict while another request does."""
        with self._lock:
            if (name, key) in self._keys:
                raise _in_progress()
            self._keys.add((name, key))
        try:
            yield
        finally:
            with self._lock:
                self._keys.discard((name, key))


def _in_progress() -> Conflict:
    return Conflict("request_in_progress", "a request with this Idempotency-Key is being worked on")


T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One POST of one caller."""

    context: ApiContext
    underway: Underway
    caller: Caller
    key: str
    digest: bytes
    what: str
    trace_id: str

    async def perform(
        self,
        check: Callable[[], T],
        work: Callable[[Connection, T], Answer],
        then: Callable[[Answer], Awaitable[Answer | None]] | None = None,
        refusal: Callable[[SettleError], Answer] | None = None,
    ) -> Response:
        """Do `work` in one transaction with the key, unless it was done before.

        `check` comes before it, without a lock; `work` gets what it gives. `then` may wait for what
        follows and give a better answer, which is kept instead. `refusal` writes what the rules
        refuse, by default as a problem.
        Raises: what they raise, refusals of the rules apart, which are answers; Conflict while the
        same request is under way; InvalidInput where the key stands for another request.
        """
        with self.underway.claimed(self.caller.name, self.key):
            answer, replayed = await run_in_threadpool(self._once, check, work, refusal)
            if not replayed:
                self.context.on_commit()
                later = None if then is None else await then(answer)
                if later is not None:
                    answer = _with_receipt(later, answer.headers.get(HEADER))
                    await run_in_threadpool(self._keep, answer)
            return answer.response(replayed=replayed)

    def _once(
        self,
        check: Callable[[], T],
        work: Callable[[Connection, T], Answer],
        refusal: Callable[[SettleError], Answer] | None,
    ) -> tuple[Answer, bool]:
        context = self.context
        try:
            checked = check()
            with context.database.transaction() as conn:
                before = self._claim(conn)
                if before is not None:
                    return before, True
                answer = self._receipted(conn, work(conn, checked))
                context.store.answer_key(
                    conn, self.caller.name, self.key, answer.status, answer.packed()
                )
                return answer, False
        except (Refused, InvalidInput) as error:
            if error.code in _NOT_OURS:
                raise
            told = problem_answer(error, self.trace_id) if refusal is None else refusal(error)
            return self._refused(told)

    def _receipted(self, conn: Connection, answer: Answer) -> Answer:
        """Sign that the request was accepted, where a participant's was."""
        lei = self.caller.lei
        if lei is None or answer.status >= HTTPStatus.MULTIPLE_CHOICES:
            return answer
        receipts = self.context.receipts
        at = self.context.clock()
        entry = acceptance(lei, self.digest, at, what=self.what, subjects=answer.subjects)
        [receipt] = receipts.store.add_receipts(conn, receipts.book, [entry])
        return _with_receipt(answer, receipt_header(receipt))

    def _claim(self, conn: Connection) -> Answer | None:
        """Take the key; give the answer that it stands for already."""
        context, name = self.context, self.caller.name
        now = context.clock()
        stored = context.store.claim_key(conn, name, self.key, self.digest, now)
        if stored is None:
            return None
        if stored.body_digest != self.digest:
            raise InvalidInput(
                "idempotency_key_reused", "this Idempotency-Key stands for another request"
            )
        if stored.http_status is not None and stored.response is not None:
            return unpacked(stored.http_status, stored.response)
        if now < stored.created_at + _ABANDONED_S:
            raise _in_progress()
        context.store.retake_key(conn, name, self.key, now)
        return None

    def _refused(self, answer: Answer) -> tuple[Answer, bool]:
        with self.context.database.transaction() as conn:
            before = self._claim(conn)
            if before is not None:
                return before, True
            self.context.store.answer_key(
                conn, self.caller.name, self.key, answer.status, answer.packed()
            )
        return answer, False

    def _keep(self, answer: Answer) -> None:
        with self.context.database.transaction() as conn:
            self.context.store.answer_key(
                conn, self.caller.name, self.key, answer.status, answer.packed()
            )


def _with_receipt(answer: Answer, told: str | None) -> Answer:
    return answer if told is None else replace(answer, headers={**answer.headers, HEADER: told})


_NOT_OURS: Final = frozenset(("idempotency_key_reused", "request_in_progress"))
