"""One table from exceptions to exit codes, and the program that keeps to it."""

from __future__ import annotations

import json
import sys
from typing import Any, Final

import typer

from settle.cli.output import plain, tell
from settle.domain.errors import Broken, InvalidInput, Refused, SettleError, Unavailable
from settle.domain.reasons import kind_of

OK: Final = 0
REFUSED: Final = 1
USAGE: Final = 2
INFRASTRUCTURE: Final = 3
FOUND: Final = 4

BY_KIND: Final[dict[type[SettleError], int]] = {
    InvalidInput: USAGE,
    Refused: REFUSED,
    Unavailable: INFRASTRUCTURE,
    Broken: INFRASTRUCTURE,
    SettleError: INFRASTRUCTURE,
}


def exit_code(error: SettleError) -> int:
    """Look an exception up by the nearest of its classes that the table has."""
    return next(BY_KIND[kind] for kind in type(error).__mro__ if kind in BY_KIND)


class Program(typer.Typer):
    """A command line whose exceptions of ours become a sentence and an exit code."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401  as Typer has it
        """Run it with these arguments, else those of the process; ends with SystemExit."""
        given = args[0] if args and args[0] is not None else sys.argv[1:]
        try:
            return super().__call__(*args, **kwargs)
        except SettleError as error:
            _tell(error, as_json="--json" in given)
            sys.exit(exit_code(error))


def _tell(error: SettleError, *, as_json: bool) -> None:
    reasons = error.reasons if isinstance(error, Refused) else ()
    if as_json:
        document = {
            "code": error.code,
            "message": error.message,
            "pointer": error.pointer if isinstance(error, InvalidInput) else "",
            "reasons": [
                {**plain(reason), "sentence": kind_of(reason.code).sentence} for reason in reasons
            ],
        }
        print(json.dumps({"error": document}), flush=True)
    tell(f"settle: {error.message}")
