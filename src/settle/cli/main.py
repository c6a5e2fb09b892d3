"""`settle NOUN VERB`: data on standard output, progress on standard error.

Exit codes: 0 ok, 1 refused by the rules, 2 usage, 3 infrastructure, 4 audit finding.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from settle.audit.__main__ import main as audit_main
from settle.cli.demo import demo
from settle.domain.errors import InvalidInput, Refused, SettleError

_REFUSED: Final = 1
_USAGE: Final = 2
_INFRASTRUCTURE: Final = 3


class _Program(typer.Typer):
    """The commands, and one table from what went wrong to the exit code."""

    def __call__(self, *arguments: Any, **options: Any) -> Any:  # noqa: ANN401  as typer has it
        """Run the command line."""
        try:
            return super().__call__(*arguments, **options)
        except SettleError as error:
            sys.stderr.write(f"settle: {error.message}\n")
            sys.exit(exit_code(error))


app = _Program(
    help="Settlement of signed trades on a permissioned chain.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
audit = typer.Typer(help="Replay the chain and say where anything differs.", no_args_is_help=True)
app.command()(demo)
app.add_typer(audit, name="audit")


@audit.command("run")
def audit_run(
    rpc: Annotated[str, typer.Option(help="address of a node")],
    deployment: Annotated[Path, typer.Option(help="the signed deployment file")],
    database: Annotated[str | None, typer.Option(help="the operator's, to compare")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="one object on standard output")] = False,
) -> None:
    """Audit a chain. Exit code 0: clean, 4: findings."""
    arguments = ["run", "--rpc", rpc, "--deployment", str(deployment)]
    if database is not None:
        arguments += ["--database", database]
    if as_json:
        arguments.append("--json")
    raise typer.Exit(audit_main(arguments))


def exit_code(error: SettleError) -> int:
    """Tell by who can act: wrong input, refused by the rules, or what has to be mended."""
    if isinstance(error, InvalidInput):
        return _USAGE
    return _REFUSED if isinstance(error, Refused) else _INFRASTRUCTURE
