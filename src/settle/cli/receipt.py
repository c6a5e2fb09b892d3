"""`settle receipt`: keep what the operator signed that it accepted, and hold it to its word."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from settle.chain.eip712 import recover
from settle.chain.receipt_word import read_word
from settle.cli.exits import FOUND
from settle.cli.output import JsonOption, show
from settle.cli.profile import ProfileOption, connected, load_profile
from settle.client.receipts import append_receipts, load_receipts
from settle.domain.ids import account_address, to_hex
from settle.services.receipts_check import Checked, ReceiptFinding, check_receipts, same_beginning

receipt = typer.Typer(help="Receipts of what the venue accepted.", no_args_is_help=True)
FileArgument = Annotated[Path, typer.Argument(help="where the receipts are kept, a line each")]


@receipt.command("keep")
def keep(file: FileArgument, profile: ProfileOption, as_json: JsonOption = False) -> None:
    """Add the receipts that the file lacks. Exit code 4: the venue tells others than were kept."""
    kept = load_receipts(file)
    with connected(load_profile(profile)) as client:
        key = client.venue().receipt_key
        told = client.receipts()
    findings = same_beginning(kept, told)
    fresh = [] if findings else told[len(kept) :]
    append_receipts(file, fresh)
    number = len(kept) + len(fresh)
    text = f"{number} receipts, {len(fresh)} of them new, signed by {to_hex(key)}"
    shown = {"receipts": number, "new": len(fresh), "key": key, "findings": findings}
    show(shown, as_json=as_json, text="\n".join([text, *map(_line, findings)]))
    if findings:
        raise typer.Exit(FOUND)


@receipt.command("verify")
def verify(
    file: FileArgument,
    profile: ProfileOption,
    key: Annotated[str, typer.Option(help="the operator's address, as you learned it once")],
    finality_depth: Annotated[
        int, typer.Option(min=0, help="blocks above a final one, by the chain's configuration")
    ] = 0,
    as_json: JsonOption = False,
) -> None:
    """Check kept receipts in themselves and against the chain. Exit code 4: findings.

    The venue is not asked: this works when it is gone.
    """
    own = load_profile(profile)
    deployment = own.load_deployment()
    checked = check_receipts(
        load_receipts(file),
        lei=own.lei,
        key=account_address(key),
        domain=deployment.domain,
        recover=recover,
        word=read_word(own.node(), deployment, finality_depth=finality_depth),
    )
    lines = [_counts(checked), *map(_line, checked.findings)]
    show(checked, as_json=as_json, text="\n".join(lines))
    if checked.findings:
        raise typer.Exit(FOUND)


def _counts(found: Checked) -> str:
    return (
        f"{found.receipts} receipts: {found.settled} settled, {found.ended} ended with a reason, "
        f"{found.open} open and in time, {len(found.findings)} findings"
    )


def _line(one: ReceiptFinding) -> str:
    return f"receipt {one.number}: {one.code}: {one.message}"
