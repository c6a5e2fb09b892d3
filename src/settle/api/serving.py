"""Serves an application over HTTP, and ends without cutting anybody short."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import uvicorn

from settle.domain.errors import Unavailable

if TYPE_CHECKING:
    from types import FrameType

    from fastapi import FastAPI

_KEEP_ALIVE_S: Final = 75
_GRACE_S: Final = 10


def bind(host: str, port: int) -> socket.socket:
    """Take the address before anything else starts; port 0 takes a free one.

    Raises Unavailable if another has it.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise Unavailable(
            f"{host}:{port} cannot be listened on: {error.strerror}", code="address_in_use"
        ) from error


def urls_of(listening: socket.socket) -> tuple[str, ...]:
    """Give the origins under which a listening socket is reached; the first one is to be told."""
    host, port = listening.getsockname()[:2]
    address = ipaddress.ip_address(host)
    named = "127.0.0.1" if address.is_unspecified else host
    shown = f"[{named}]" if address.version == 6 and not address.is_unspecified else named
    urls = [f"http://{shown}:{port}"]
    if address.is_loopback or address.is_unspecified:
        urls.append(f"http://localhost:{port}")
    return tuple(urls)


class ApiServer(uvicorn.Server):
    """A server that tells when it is up, and that leaves what follows its end to its caller."""

    def __init__(
        self, app: FastAPI, *, on_up: Callable[[], None], on_ending: Callable[[], None]
    ) -> None:
        """`on_ending` lets those go that wait for news, so that their connections can end."""
        super().__init__(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                server_header=False,
                lifespan="on",
                ws="none",
                timeout_keep_alive=_KEEP_ALIVE_S,
                timeout_graceful_shutdown=_GRACE_S,
            )
        )
        self._on_up = on_up
        self._on_ending = on_ending

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin, and say so."""
        await super().startup(sockets)
        if self.started:
            self._on_up()

    def end(self) -> None:
        """Begin to end; any thread may ask for it."""
        self._on_ending()
        self.should_exit = True

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002  the interface
        """End on a signal, at once on the second. The signal is not raised again afterwards."""
        if self.should_exit:
            self.force_exit = True
        self.end()
