"""`python -m settle.audit run`: the auditor in a process of its own. Exit 0 clean, 4 findings.

What it found goes to standard output, as text or with --json as one object; progress with rate and
time left goes to standard error. Exit 2 says that the call was wrong, 3 that node or database do
not answer.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Final

from settle.audit.auditor import run
from settle.audit.request import AuditRequest, Progress
from settle.domain.errors import InvalidInput, Unavailable

CLEAN: Final = 0
USAGE: Final = 2
INFRASTRUCTURE: Final = 3
FOUND: Final = 4
_EVERY_S: Final = 1


class ProgressLine:
    """Writes one line a second to standard error: done, rate, time left."""

    def __init__(self) -> None:
        """Begin the clock."""
        self._phase = ""
        self._began = self._told = time.monotonic()

    def __call__(self, progress: Progress) -> None:
        """Tell, if it is time."""
        now = time.monotonic()
        if progress.phase != self._phase:
            self._phase, self._began = progress.phase, now
        elif now - self._told < _EVERY_S:
            return
        self._told = now
        rate = progress.done / max(now - self._began, 0.001)
        left = (progress.total - progress.done) / max(rate, 0.001)
        sys.stderr.write(
            f"{progress.phase} {progress.done}/{progress.total}, {rate:.0f}/s, {left:.0f} s left; "
            f"{progress.instructions} instructions, {progress.signatures} signatures\n"
        )
        sys.stderr.flush()


def main(arguments: list[str]) -> int:
    """Run the program; the result is the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m settle.audit", description=(__doc__ or "").partition("\n")[0]
    )
    command = parser.add_subparsers(dest="command", required=True).add_parser("run")
    command.add_argument("--rpc", required=True, metavar="URL", help="a node of the chain")
    command.add_argument("--deployment", required=True, type=Path, metavar="FILE")
    command.add_argument("--database", metavar="URL", help="the operator's, to compare with")
    command.add_argument("--from-block", type=int, default=0, metavar="N")
    command.add_argument("--to-block", type=int, metavar="N", help="default: the newest")
    command.add_argument("--deployer", metavar="ADDRESS", help="who has to have signed the file")
    command.add_argument("--build", type=Path, metavar="FOLDER", help="artifacts of a fresh build")
    command.add_argument("--json", action="store_true")
    command.add_argument("--quiet", action="store_true", help="no progress")
    options = parser.parse_args(arguments)
    try:
        request = AuditRequest(
            rpc_url=options.rpc,
            deployment_file=options.deployment,
            database_url=options.database,
            from_block=options.from_block,
            to_block=options.to_block,
            deployer=_address(options.deployer),
            build=options.build,
            **({} if options.quiet else {"progress": ProgressLine()}),
        )
        report = run(request)
    except (InvalidInput, Unavailable) as error:
        if options.json:
            told = {"code": error.code, "message": error.message}
            sys.stdout.write(json.dumps({"error": told}) + "\n")
        sys.stderr.write(f"audit: {error.message}\n")
        return USAGE if isinstance(error, InvalidInput) else INFRASTRUCTURE
    text = json.dumps(report.to_json(), indent=2) if options.json else report.to_text()
    sys.stdout.write(text + "\n")
    return FOUND if report.counts.differences else CLEAN


def _address(text: str | None) -> bytes | None:
    if text is None:
        return None
    try:
        octets = bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        octets = b""
    if len(octets) != 20:
        raise InvalidInput("deployer", f"{text!r} is no address")
    return octets


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
