from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from settle.chain import wire
from settle.chain.node import Node
from settle.chain.rpc import Call, Json, Rpc, RpcError
from settle.domain.errors import InvalidInput, Unavailable

# Deeper than the stack: libraries of the chain raise Python's own bound.
DEEP = b'{"id":0,"result":' + b"[" * 99_000
Answer = Callable[[Json], bytes]


class Server:
    """A node that answers what a test says, over a real socket."""

    def __init__(self) -> None:
        self.answer: Answer = echo
        self.status = 200
        self.requests: list[Json] = []
        self.hang_up = False
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                outer.requests.append(request)
                octets = outer.answer(request)
                self.send_response(outer.status)
                self.send_header("Content-Length", str(len(octets)))
                self.end_headers()
                self.wfile.write(octets)
                if outer.hang_up:
                    self.close_connection = True

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()


def reply(request: Json) -> Json:
    return {"jsonrpc": "2.0", "id": request["id"], "result": request["method"]}


def echo(request: Json) -> bytes:
    told = [reply(r) for r in reversed(request)] if isinstance(request, list) else reply(request)
    return json.dumps(told).encode()


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.server.shutdown()
    made.server.server_close()


def test_answers_of_a_batch_are_put_in_the_order_of_the_calls(server: Server) -> None:
    rpc = Rpc(server.url, max_batch=2)
    answers = rpc.batch([Call("a"), Call("b"), Call("c")])
    assert answers == ["a", "b", "c"]
    assert [len(request) for request in server.requests] == [2, 1]


def test_an_error_in_a_batch_stands_in_its_place(server: Server) -> None:
    def one_bad(request: Json) -> bytes:
        told = [reply(r) for r in request]
        told[1] = {"jsonrpc": "2.0", "id": 1, "error": {"code": 3, "message": "no", "data": "0x1"}}
        return json.dumps(told).encode()

    server.answer = one_bad
    first, second, third = Rpc(server.url).batch([Call("a"), Call("b"), Call("c")])
    assert (first, third) == ("a", "c")
    assert isinstance(second, RpcError)
    assert (second.number, second.message, second.data) == (3, "no", "0x1")


def test_a_connection_that_the_node_closed_is_opened_again(server: Server) -> None:
    rpc = Rpc(server.url)
    server.hang_up = True
    assert rpc.call("a") == "a"
    assert rpc.call("b") == "b"


@pytest.mark.parametrize(
    "octets",
    [b"", b"not json", b"3", b"[]", b"{}", b'{"id":0}', b'[{"id":7,"result":1}]', DEEP],
)
def test_nonsense_is_unavailable_and_never_an_answer(server: Server, octets: bytes) -> None:
    server.answer = lambda _request: octets
    rpc = Rpc(server.url)
    with pytest.raises(Unavailable):
        rpc.call("a")
    with pytest.raises(Unavailable):
        rpc.batch([Call("a")])


def test_an_http_error_is_unavailable(server: Server) -> None:
    server.status = 503
    with pytest.raises(Unavailable, match="503"):
        Rpc(server.url).call("a")


def test_nobody_there_is_unavailable(server: Server) -> None:
    rpc = Rpc(server.url)
    server.server.shutdown()
    server.server.server_close()
    with pytest.raises(Unavailable, match="no answer"):
        rpc.call("a")


@pytest.mark.parametrize("url", ["", "ftp://x", "localhost:8545", "http://"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(InvalidInput):
        Rpc(url)


@pytest.mark.parametrize("result", [None, 5, "x", "0xzz", {"number": "0x1"}, {}])
def test_fields_that_are_missing_or_of_another_kind_are_unavailable(
    server: Server, result: Json
) -> None:
    server.answer = lambda request: json.dumps({"id": request["id"], "result": result}).encode()
    node = Node(Rpc(server.url))
    with pytest.raises(Unavailable):
        node.head()
    with pytest.raises(Unavailable):
        node.chain_id()
    with pytest.raises(Unavailable):
        node.logs(0, 1, [])


def test_numbers_and_bytes_are_written_as_json_rpc_wants_them() -> None:
    assert wire.quantity(0) == "0x0"
    assert wire.quantity(255) == "0xff"
    assert wire.data(b"") == "0x"
    assert wire.to_int("0xff") == 255
    assert wire.to_bytes("0x00ff") == b"\x00\xff"
