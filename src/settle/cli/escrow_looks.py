"""`settle escrow` with a venue: what stands where, what can happen, whose turn it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from settle.cli.escrow import escrow
from settle.cli.output import JsonOption, show, table
from settle.cli.profile import ProfileOption, connected, load_profile
from settle.domain.ids import parse_word, to_hex
from settle.signer.escrow_journal import EscrowJournal

if TYPE_CHECKING:
    from settle.client.escrows import Escrow

__all__ = ["IdArgument", "escrow", "summary"]

IdArgument = Annotated[str, typer.Argument(help="the escrow's id")]


@escrow.command("show")
def show_escrow(escrow_id: IdArgument, profile: ProfileOption, as_json: JsonOption = False) -> None:
    """Show an escrow, and keep what opens and ends it without the venue."""
    own = load_profile(profile)
    with connected(own) as client, EscrowJournal(own.journal) as journal:
        found = client.escrow(parse_word(escrow_id))
        journal.keep(found.id, found.terms, found.messages)
    show(found, as_json=as_json, text=summary(found))


@escrow.command("what-now")
def what_now(escrow_id: IdArgument, profile: ProfileOption, as_json: JsonOption = False) -> None:
    """Say what would end each milestone now, who can do it, and what happens by itself."""
    with connected(load_profile(profile)) as client:
        found = client.escrow_now(parse_word(escrow_id))
    lines = []
    for one in found.milestones:
        until = "" if one.until is None else f" until {one.until}"
        lines.append(f"milestone {one.number + 1}: {one.outcome or one.state}{until}")
        for way in one.ways:
            who = ", ".join(map(to_hex, way.by)) or "anyone"
            lines.append(f"  {way.name}: {way.sentence} ({way.needed} of {who})")
        lines.append(f"  by itself: {one.by_itself}")
    show(found, as_json=as_json, text="\n".join(lines))


@escrow.command("list")
def list_escrows(
    profile: ProfileOption,
    waiting_on_me: Annotated[bool, typer.Option("--waiting-on-me")] = False,
    status: Annotated[list[str] | None, typer.Option(help="one or more")] = None,
    as_json: JsonOption = False,
) -> None:
    """List escrows that you have a part in, newest first."""
    with connected(load_profile(profile)) as client:
        found = list(client.escrows(statuses=status or (), waiting_on_me=waiting_on_me))
    rows: list[tuple[object, ...]] = [
        (to_hex(one.id), one.status, one.terms.open_by, one.reason) for one in found
    ]
    show(found, as_json=as_json, text=table(rows, "escrow", "status", "open by", "reason"))


def summary(found: Escrow) -> str:
    """Tell an escrow in a few lines."""
    lines = [f"{to_hex(found.id)}  {found.status}"]
    if found.reason:
        lines.append(found.reason)
    missing = [to_hex(one.account) for one in found.signers if not one.signed]
    if found.status == "Proposed":
        lines.append(f"not signed by {', '.join(missing)}" if missing else "signed by all")
    for one in found.milestones:
        ended = "" if one.ended_by is None else f" by {one.ended_by}"
        waits = ", payments wait" if one.waits else ""
        lines.append(f"milestone {one.number + 1}: {one.outcome or one.state}{ended}{waits}")
    lines += [
        f"waits for {one.what} of {to_hex(one.account)}"
        for one in found.waiting_on
        if one.what != "consent"
    ]
    return "\n".join(lines)
