"""The client against a server that answers as the test says: patience, keys, streams, refusals."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from settle.client import Client, KeySigner
from settle.client.codec import read
from settle.client.documents import Asset, Position
from settle.client.refusals import exception_of
from settle.domain.errors import (
    Broken,
    Conflict,
    Forbidden,
    InvalidInput,
    NotFound,
    SettleError,
    Unavailable,
)
from tests.api.world import key_of

Answer = tuple[int, dict[str, str], bytes]


class Script:
    """Answers in turn, and what it was asked."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.asked: list[dict[str, str]] = []
        self.url = ""

    def say(self, status: int, document: Any = None, **headers: str) -> None:
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answers.append((status, told, body))


@pytest.fixture
def script() -> Iterator[Script]:
    made = Script()

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            body = self.rfile.read(length).decode()
            lowered = {name.lower(): value for name, value in self.headers.items()}
            made.asked.append({**lowered, ":path": self.path, ":body": body})
            if not made.answers:
                self.close_connection = True
                return
            status, headers, content = made.answers.pop(0)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = _answer  # noqa: N815  the base class names them

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = False
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    made.url = f"http://127.0.0.1:{server.server_port}"
    yield made
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def client(script: Script) -> Iterator[Client]:
    with Client(script.url, KeySigner(key_of("alpha")), patience_s=5) as made:
        yield made


def problem(status: int, code: str, **more: Any) -> dict[str, Any]:
    return {"status": status, "code": code, "detail": "so it is", "retryable": False, **more}


def nonce(asked: dict[str, str]) -> str:
    found = re.search(r'nonce="([0-9a-f]+)"', asked["authorization"])
    assert found
    return found[1]


SUBMITTED = {
    "trade_id": "01KAS7ZQ8M3V5X9T2R4C6W8Y0B",
    "digest": "0x" + "11" * 32,
    "account": "0x" + "22" * 20,
    "accepted": True,
    "status": "Affirmed",
    "version": 3,
    "something": "newer",
}


def test_a_post_is_tried_again_under_the_same_key_and_a_new_nonce(
    script: Script, client: Client
) -> None:
    script.say(503, problem(503, "unavailable", retryable=True), Retry_After="1")
    script.say(409, problem(409, "request_in_progress", retryable=True), Retry_After="0")
    script.say(200, SUBMITTED)
    done = client.sign(b"\x11" * 32, b"\x33" * 65)
    assert (done.status, done.digest, done.accepted) == ("Affirmed", b"\x11" * 32, True)
    assert len(script.asked) == 3
    assert len({one["idempotency-key"] for one in script.asked}) == 1
    assert len({nonce(one) for one in script.asked}) == 3
    assert {one[":body"] for one in script.asked} == {script.asked[0][":body"]}


def test_an_answer_that_was_lost_is_asked_for_again(script: Script, client: Client) -> None:
    script.answers.append((200, {}, b""))
    del script.answers[:]
    threading.Timer(0.3, lambda: script.say(200, {"assets": []})).start()
    assert client.assets() == []
    assert len(script.asked) > 1


def test_a_refusal_is_not_tried_again(script: Script, client: Client) -> None:
    script.say(409, problem(409, "duplicate_reference"))
    with pytest.raises(Conflict) as refused:
        client.sign(b"\x11" * 32, b"\x33" * 65)
    assert refused.value.code == "duplicate_reference"
    assert len(script.asked) == 1


def test_patience_ends(script: Script) -> None:
    with Client(script.url, None, patience_s=0.5) as client, pytest.raises(Unavailable):
        client.venue()


def test_a_stream_goes_on_behind_the_last_event(script: Script, client: Client) -> None:
    def data(*numbers: int) -> bytes:
        told = (
            f'event: x\nid: {n}\ndata: {{"number":{n},"kind":"x","trade_id":null,'
            f'"block_number":null,"created_at":1,"payload":{{}}}}\n\n'
            for n in numbers
        )
        return (": settle\nretry: 1000\n\n" + "".join(told)).encode()

    kind = "text/event-stream"
    script.say(200, data(4, 5), Content_Type=kind)
    script.say(503, problem(503, "unavailable"))
    script.say(200, data(6), Content_Type=kind)
    stop = threading.Event()
    found = []
    for one in client.events(3, stop=stop):
        found.append(one.number)
        if len(found) == 3:
            break
    assert found == [4, 5, 6]
    assert [one["last-event-id"] for one in script.asked] == ["3", "5", "5"]
    script.say(200, data(9), Content_Type=kind)
    with pytest.raises(Broken) as gap:
        next(client.events(7))
    assert gap.value.code == "event_missing"
    script.say(409, problem(409, "event_unknown"))
    with pytest.raises(Conflict):
        next(client.events(99))


def test_pages_are_read_to_the_end(script: Script, client: Client) -> None:
    script.say(200, {"instructions": [], "next_cursor": "abc"})
    script.say(200, {"instructions": [], "next_cursor": None})
    assert list(client.to_sign(limit=7)) == []
    assert [one[":path"] for one in script.asked] == [
        "/v1/instructions/to-sign?limit=7",
        "/v1/instructions/to-sign?limit=7&cursor=abc",
    ]


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, InvalidInput),
        (401, Forbidden),
        (403, Forbidden),
        (404, NotFound),
        (409, Conflict),
        (412, Conflict),
        (413, InvalidInput),
        (422, InvalidInput),
        (428, Conflict),
        (429, Unavailable),
        (500, Broken),
        (502, Unavailable),
        (503, Unavailable),
    ],
)
def test_each_status_is_an_exception_by_who_can_act(status: int, kind: type[SettleError]) -> None:
    for content in (b"", b"<html>", b"[]", json.dumps(problem(status, "why")).encode()):
        error = exception_of(status, {"retry-after": "7"}, content)
        assert type(error) is kind
        assert error.code in {"why", f"http_{status}"}


def test_a_problem_keeps_its_reasons_and_pointers() -> None:
    reason = {"code": "LACK", "leg": 0, "account": "0x" + "22" * 20, "needed": "5", "have": None}
    conflict = exception_of(409, {}, json.dumps(problem(409, "x", reasons=[reason])).encode())
    assert isinstance(conflict, Conflict)
    assert (conflict.reasons[0].needed, conflict.reasons[0].who) == (5, b"\x22" * 20)
    faults = [
        {"pointer": "/a", "detail": "one"},
        {"pointer": "", "parameter": "query:b", "detail": "two"},
    ]
    invalid = exception_of(422, {}, json.dumps(problem(422, "x", errors=faults)).encode())
    assert isinstance(invalid, InvalidInput)
    assert (invalid.pointer, invalid.message) == ("/a", "/a: one; query:b: two")


def test_an_answer_of_another_form_is_broken(script: Script, client: Client) -> None:
    broken: list[Callable[[], object]] = [
        lambda: read(Position, {"account": "0x"}),
        lambda: read(Asset, []),
        lambda: read(Asset, None),
    ]
    for one in broken:
        with pytest.raises(Broken):
            one()
    script.say(200, b"<html>")
    with pytest.raises(Broken):
        client.venue()


def test_a_signer_does_not_show_its_key() -> None:
    signer = KeySigner(key_of("alpha"))
    assert key_of("alpha").hex() not in repr(signer) + str(vars(KeySigner))
