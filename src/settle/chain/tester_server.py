"""The `tester` engine: a chain in a process of its own behind JSON-RPC, nothing to install.

`python -m settle.chain.tester_server --chain-id N --port-file FILE ...` writes the port it got to
FILE and serves 127.0.0.1 until it is ended. With an interval a block is mined that often, at most
one a second, so that block times are real times.
"""

from __future__ import annotations

import argparse
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final

from settle.chain import wire
from settle.chain.rpc import RpcError
from settle.chain.tester_chain import TesterChain
from settle.chain.tester_methods import Methods, error_json
from settle.strict_json import read_json

_PARSE_ERROR: Final = -32700


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # one write for head and body
    methods: Methods

    def do_POST(self) -> None:
        try:
            request = read_json(self.rfile.read(int(self.headers.get("Content-Length", "0"))))
            answer = self.methods.answer(request)
        except ValueError:
            answer = error_json(None, RpcError(_PARSE_ERROR, "not JSON", None))
        octets = json.dumps(answer, separators=(",", ":")).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(octets)))
        self.end_headers()
        self.wfile.write(octets)
        self.wfile.flush()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 the base class's name
        """Stay silent: the caller logs what it asks."""


def serve(methods: Methods, *, port: int, interval_ms: int) -> ThreadingHTTPServer:
    """Start serving and mining in threads of this process; the server tells its port."""
    handler = type("Handler", (_Handler,), {"methods": methods})
    server = ThreadingHTTPServer(("127.0.0.1", port), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    if interval_ms:
        threading.Thread(target=_mine, args=(methods, interval_ms), daemon=True).start()
    return server


def _mine(methods: Methods, interval_ms: int) -> None:
    while True:
        # Wake up on the interval's own beat, so that blocks keep step with the clock.
        now_ms = time.time_ns() // 1_000_000
        time.sleep((interval_ms - now_ms % interval_ms) / 1000)
        with methods.lock:
            if methods.chain.may_mine():
                methods.chain.mine()


def main() -> None:
    """Serve until ended."""
    parser = argparse.ArgumentParser(prog="settle.chain.tester_server")
    parser.add_argument("--chain-id", type=int, required=True)
    parser.add_argument("--gas-limit", type=int, required=True)
    parser.add_argument("--interval-ms", type=int, default=0, help="0: only evm_mine mines")
    parser.add_argument("--port", type=int, default=0, help="0: any free one")
    parser.add_argument("--port-file", type=Path, required=True)
    parser.add_argument("--fund", action="append", default=[], help="0xADDRESS=WEI")
    options = parser.parse_args()
    funds = (item.split("=") for item in options.fund)
    chain = TesterChain(
        chain_id=options.chain_id,
        fund={wire.to_bytes(address): int(wei) for address, wei in funds},
        gas_limit=options.gas_limit,
        clock=lambda: int(time.time()),
    )
    server = serve(Methods(chain), port=options.port, interval_ms=options.interval_ms)
    written = options.port_file.with_suffix(".new")
    written.write_text(str(server.server_address[1]))
    written.replace(options.port_file)
    threading.Event().wait()


if __name__ == "__main__":
    main()
