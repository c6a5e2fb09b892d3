"""`settle demo`: the main job, from an empty folder to the audited books."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from settle.demo.escrows import run_escrow_demo
from settle.demo.run import DemoRequest, run_demo

_ROOT: Final = Path(__file__).resolve().parents[3]


demo = typer.Typer(help="From an empty folder to the audited books.", invoke_without_command=True)


@demo.callback()
def play_a_day(
    context: typer.Context,
    engine: Annotated[str, typer.Option(help="an engine of chain.toml")] = "tester",
    tape: Annotated[Path | None, typer.Option(help="CSV of trades")] = None,
    participants: Annotated[int, typer.Option(help="from 2 to 20")] = 6,
    seed: Annotated[int, typer.Option(help="who trades with whom")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="one object on standard output")] = False,
) -> None:
    """Play a day: trades submitted, signed, settled, the operator killed, the books audited."""
    if context.invoked_subcommand is not None:
        return
    request = DemoRequest(
        root=_ROOT,
        engine=engine,
        tape=tape or _ROOT / "examples" / "tape.csv",
        participants=participants,
        seed=seed,
    )
    result = run_demo(request, _teller())
    typer.echo(json.dumps(result) if as_json else _text(result))


@demo.command("escrow")
def play_escrows(
    engine: Annotated[str, typer.Option(help="an engine of chain.toml")] = "tester",
    as_json: Annotated[bool, typer.Option("--json", help="one object on standard output")] = False,
) -> None:
    """Live through the worked examples of escrow, and have the books audited."""
    result = run_escrow_demo(_ROOT, engine, _teller())
    typer.echo(json.dumps(result) if as_json else _escrow_text(result))


def _teller() -> Callable[[str], None]:
    began = time.monotonic()

    def tell(line: str) -> None:
        sys.stderr.write(f"{time.monotonic() - began:6.1f} s  {line}\n")
        sys.stderr.flush()

    return tell


def _escrow_text(result: dict[str, Any]) -> str:
    lines = []
    for one in result["escrows"]:
        lines.append(f"{one['example']}  {one['escrow']}")
        lines += [
            f"  {milestone['name']}: {milestone['outcome']} by {milestone['ended_by']}"
            for milestone in one["milestones"]
        ]
        lines += [f"  {p['from']} pays {p['to']} {p['amount']} {p['asset']}" for p in one["paid"]]
        lines += [f"  {p['amount']} {p['asset']} returns to {p['to']}" for p in one["returned"]]
    audit = result["audit"]
    lines.append(
        f"audit: {audit['verdict']}; {audit['escrows']} escrows, "
        f"{audit['milestones']} of their milestones ended"
    )
    return "\n".join([*lines, f"{result['elapsed_s']} s"])


def _text(result: dict[str, Any]) -> str:
    trades, audit, tamper = result["trades"], result["audit"], result["tamper"]
    counts = ", ".join(f"{count} {name}" for name, count in trades.items() if name != "submitted")
    reasons = ", ".join(f"{count} {code}" for code, count in result["reasons"].items())
    where = tamper["where"][0] if tamper["where"] else "nowhere"
    return "\n".join(
        [
            f"{trades['submitted']} trades on {result['engine']}: {counts}",
            f"reasons seen on the way: {reasons}",
            f"gas: {result['gas']['per_settled_trade']} a settled trade",
            f"operator killed {result['operator_kills']} time(s), nothing lost",
            (
                f"messages: {result['iso20022']['in']} sese.023 in, {result['iso20022']['out']} "
                "sese.025 out"
            ),
            (
                f"audit: {audit['verdict']}; {audit['blocks']} blocks, {audit['instructions']} "
                f"instructions, {audit['signatures']} signatures, {audit['holdings']} holdings, "
                f"{audit['differences']} differences"
            ),
            (
                "audit of a copy with one balance changed: "
                f"{'found' if tamper['found'] else 'NOT FOUND'}: {where}"
            ),
            f"{result['elapsed_s']} s",
        ]
    )
