"""`settle NOUN VERB`: data on standard output, progress on standard error.

Exit codes: 0 ok, 1 refused by the rules, 2 usage, 3 infrastructure, 4 audit finding.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from settle.cli import local, market, trade
from settle.cli.alarm import alarm
from settle.cli.demo import demo
from settle.cli.doctor import doctor
from settle.cli.escrow_panel import escrow
from settle.cli.exits import Program
from settle.cli.output import JsonOption
from settle.cli.receipt import receipt
from settle.cli.signer import signer

app = Program(
    help="Settlement of signed trades on a permissioned chain.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
audit = typer.Typer(help="Replay the chain and say where anything differs.", no_args_is_help=True)
app.add_typer(demo, name="demo")
app.command()(local.up)
app.command()(local.down)
app.command("deploy")(local.deploy_contracts)
app.command()(doctor)
app.add_typer(market.participant, name="participant")
app.add_typer(market.asset, name="asset")
app.add_typer(trade.trade, name="trade")
app.add_typer(trade.iso, name="iso")
app.add_typer(signer, name="signer")
app.add_typer(escrow, name="escrow")
app.add_typer(receipt, name="receipt")
app.add_typer(audit, name="audit")
app.add_typer(alarm, name="alarm")


@audit.command("run")
def audit_run(
    rpc: Annotated[str, typer.Option(help="address of a node")],
    deployment: Annotated[Path, typer.Option(help="the signed deployment file")],
    database: Annotated[str | None, typer.Option(help="the operator's, to compare")] = None,
    as_json: JsonOption = False,
) -> None:
    """Audit a chain. Exit code 0: clean, 4: findings."""
    arguments = ["run", "--rpc", rpc, "--deployment", str(deployment)]
    if database is not None:
        arguments += ["--database", database]
    if as_json:
        arguments.append("--json")
    # In a process of its own: what is loaded here is what the auditor has to check.
    command = [sys.executable, "-m", "settle.audit", *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)  # noqa: S603  our own module
    typer.echo(done.stdout, nl=False)
    raise typer.Exit(done.returncode)
