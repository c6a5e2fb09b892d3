"""Runs the operator's process with the settings of the environment: `python -m settle.serve`."""

from __future__ import annotations

import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

from settle.chain.keystore import load_key
from settle.domain.errors import InvalidInput, SettleError
from settle.settings import read_password, read_settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from settle.bootstrap import Operator

_USAGE: Final = 2
_INFRASTRUCTURE: Final = 3


def main(arguments: Sequence[str]) -> int:
    """Serve on 127.0.0.1 at the port given, 0 for a free one, until told to stop.

    Says the URL on standard output when requests are taken. Gives the exit code.
    """
    try:
        port = int(arguments[0]) if arguments else 0
        operator = _build()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: operator.stop())
        operator.run("127.0.0.1", port, on_up=lambda url: print(url, flush=True))  # noqa: T201  its answer
    except (ValueError, InvalidInput) as fault:
        print(f"settle: {fault}", file=sys.stderr)  # noqa: T201  no log is set up yet
        return _USAGE
    except SettleError as fault:
        print(f"settle: {fault.message}", file=sys.stderr)  # noqa: T201  no log is set up yet
        return _INFRASTRUCTURE
    return 0


def _build() -> Operator:
    """Decrypt the key, which takes most of a second, while the rest of the program loads."""
    settings = read_settings()
    password = read_password(settings.password_file)
    with ThreadPoolExecutor(max_workers=1) as pool:
        key = pool.submit(load_key, settings.key_file, password)
        from settle.bootstrap import build_operator

        return build_operator(settings, key.result())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
