"""`settle trade` and `settle iso`: state your side, see what became of it, ask why not, cancel."""

from __future__ import annotations

import json
import secrets
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from pydantic import ValidationError

from settle.api.sides import side_request
from settle.api.trade_documents import SideIn
from settle.cli.exits import REFUSED
from settle.cli.market import AsOption, asking
from settle.cli.message_directory import ChainDirectory
from settle.cli.output import JsonOption, show, table, tell
from settle.cli.profile import ProfileOption, load_profile, participant
from settle.cli.state import STATE, StateOption
from settle.domain.errors import InvalidInput, NotFound
from settle.domain.ids import WORD_BYTES, ZERO_WORD
from settle.iso20022 import Rejection, Sese023, read
from settle.progress import Progress
from settle.strict_json import read_json

if TYPE_CHECKING:
    from settle.cli.profile import Profile
    from settle.client.trades import ToldReason
    from settle.domain.side import TradeSide
    from settle.signer import Participant

trade = typer.Typer(help="Trades, from your side.", no_args_is_help=True)
iso = typer.Typer(help="ISO 20022 messages.", no_args_is_help=True)
TradeArgument = Annotated[str, typer.Argument(help="the trade's number")]
_AT_ONCE: Final = 200


@trade.command("submit")
def submit(
    file: Annotated[Path, typer.Argument(help="JSON: a side, or a list of sides; - reads stdin")],
    profile: ProfileOption,
    presign: Annotated[bool, typer.Option(help="sign beforehand what you deliver")] = False,
    as_json: JsonOption = False,
) -> None:
    """Submit sides of trades. Each is in the journal before it is sent.

    A side is what the API takes; `nonce`, `trade_ref`, `terms`, `account` are filled in where they
    are left out. The same file again changes nothing.
    """
    told = _read_sides(file)
    own = load_profile(profile)
    with participant(own) as program:
        sides = [_side(one, own, program, index) for index, one in enumerate(told)]
        wanted = {
            one.reference
            for one in sides
            if presign and (one.movement == "DELI" or one.payment == "FREE")
        }
        progress = Progress("submitted", len(sides), tell)
        results = []
        for start in range(0, len(sides), _AT_ONCE):
            part = sides[start : start + _AT_ONCE]
            results += program.submit(part, presign=wanted)
            progress.add(len(part))
    rows = [(one.reference, one.trade_id, one.status, _fields(one)) for one in results]
    text = table(list(rows), "reference", "trade", "status", "differs")
    show(results, as_json=as_json, text=text)


def _reason(one: ToldReason) -> str:
    whose = "" if one.account is None else f" (0x{one.account.hex()})"
    figures = f" Needed {one.needed}" + ("." if one.have is None else f", there are {one.have}.")
    return f"{one.code}  {one.sentence}{figures if one.measure else ''} Clears: {one.clears}{whose}"


def _fields(one: Any) -> str:  # noqa: ANN401  a submitted side or a trade
    return " ".join(found.field for found in one.differences)


@trade.command("show")
def show_trade(
    trade_id: TradeArgument,
    profile: AsOption = None,
    state: StateOption = STATE,
    as_json: JsonOption = False,
) -> None:
    """Show one trade."""
    with asking(profile, state) as client:
        found = client.trade(trade_id)
    lines = [
        f"{found.trade_id}  {found.status}  version {found.version}",
        f"deliverer {found.deliverer}, receiver {found.receiver}, on {found.settlement_date}",
    ]
    if found.instruction is not None:
        lines += [
            f"leg {index}: {leg.quantity} of {leg.code} ({leg.decimals} decimals), "
            f"0x{leg.deliverer.hex()} to 0x{leg.receiver.hex()}"
            for index, leg in enumerate(found.instruction.legs)
        ]
    lines += [f"{one.field}: yours {one.yours}, theirs {one.theirs}" for one in found.differences]
    lines += [f"{one.code}: {one.sentence}" for one in found.reasons]
    if found.settled_transaction is not None:
        lines.append(f"in block {found.ended_block}, 0x{found.settled_transaction.hex()}")
    show(found, as_json=as_json, text="\n".join(lines))


@trade.command("list")
def list_trades(
    profile: AsOption = None,
    state: StateOption = STATE,
    status: Annotated[list[str] | None, typer.Option(help="one or more")] = None,
    reference: Annotated[str | None, typer.Option(help="yours")] = None,
    limit: Annotated[int, typer.Option(min=1, help="newest first")] = 100,
    as_json: JsonOption = False,
) -> None:
    """List trades, newest first."""
    with asking(profile, state) as client:
        found = []
        for one in client.trades(statuses=status or (), reference=reference, limit=min(limit, 500)):
            found.append(one)
            if len(found) == limit:
                break
    rows = [
        (
            one.trade_id,
            "" if one.side is None else one.side.reference or "",
            one.status,
            one.settlement_date,
            " ".join(reason.code for reason in one.reasons),
        )
        for one in found
    ]
    text = table(list(rows), "trade", "reference", "status", "date", "reasons")
    show(found, as_json=as_json, text=text)


@trade.command("cancel")
def cancel(trade_id: TradeArgument, profile: ProfileOption, as_json: JsonOption = False) -> None:
    """Ask to end a trade: before the match alone, after it the other side has to ask as well."""
    with participant(load_profile(profile)) as program:
        found = program.cancel(trade_id)
    waiting = ", ".join(f"0x{one.hex()}" for one in found.missing)
    text = f"{found.trade_id}  {found.status}" + (f", {waiting} has to ask, too" if waiting else "")
    show(found, as_json=as_json, text=text)


@trade.command("why")
def why(
    trade_id: TradeArgument,
    profile: AsOption = None,
    state: StateOption = STATE,
    as_json: JsonOption = False,
) -> None:
    """Tell what is in the way of a trade, and who can clear it."""
    with asking(profile, state) as client:
        found = client.why_not(trade_id)
    reasons = found.reasons if found.now is None else found.now
    lines = [f"{found.trade_id}  {found.status}"]
    lines += [_reason(one) for one in reasons]
    show(found, as_json=as_json, text="\n".join(lines))


@iso.command("submit")
def submit_message(
    file: Annotated[Path, typer.Argument(help="a sese.023, XML")],
    profile: ProfileOption,
    names: Annotated[
        Path | None, typer.Option(help="names that only messages use, as the operator has them")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Send a sese.023; the answer, a sese.024, goes to standard output. Exit code 1: rejected."""
    try:
        xml = file.read_bytes()
    except OSError as error:
        raise InvalidInput("file_read", f"{file}: {error.strerror}") from error
    own = load_profile(profile)
    with participant(own) as program:
        directory = ChainDirectory(own.node(), own.load_deployment(), names)
        message = read(xml, directory, directory, sender=own.lei)
        answer = program.client.send_message(xml)
        if answer.accepted and isinstance(message, Rejection):
            faults = "; ".join(one.text for one in message.findings)
            tell(f"accepted, but not understood here and so not signed: {faults}")
        elif answer.accepted and isinstance(message, Sese023):
            found = next(iter(program.client.trades(reference=message.tx_id)), None)
            if found is None or found.side is None:
                raise NotFound(f"the venue accepted {message.tx_id!r} and does not show it")
            # A message has no nonce and no salts: the venue gives a nonce, the salts are zero.
            stated = message.side(
                side_id="",
                received_at=0,
                nonce=found.side.nonce,
                trade_ref=ZERO_WORD,
                terms=ZERO_WORD,
            )
            program.journal.instruct([stated])
    told = {
        "accepted": answer.accepted,
        "trade_id": answer.trade_id,
        "answer": answer.xml.decode(),
    }
    show(told, as_json=as_json, text=answer.xml.decode())
    if not answer.accepted:
        raise typer.Exit(REFUSED)


# ------------------------------------------------------------------------------ reading


def _read_sides(file: Path) -> list[dict[str, Any]]:
    try:
        told = read_json(sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes())
    except OSError as error:
        raise InvalidInput("file_read", f"{file}: {error.strerror}") from error
    except ValueError as error:
        raise InvalidInput("file_format", f"{file} is not JSON: {error}") from error
    sides = told if isinstance(told, list) else [told]
    if not sides or not all(isinstance(one, dict) for one in sides):
        raise InvalidInput("file_format", f"{file}: a side is a JSON object")
    return sides


def _side(told: Mapping[str, Any], own: Profile, program: Participant, index: int) -> TradeSide:
    """Fill in what is the participant's to choose: as it was chosen before, if it was."""
    document = {"account": "0x" + program.account.hex(), **told}
    known = _known(program, told.get("reference"))
    if known is not None:
        chosen = (str(known.nonce), known.trade_ref, known.terms)
    elif "nonce" in told:
        chosen = (told["nonce"], secrets.token_bytes(WORD_BYTES), secrets.token_bytes(WORD_BYTES))
    else:
        _parse({**document, "nonce": "0"}, index)  # a side that is wrong takes no nonce
        nonce = program.journal.next_nonces(program.account)[0]
        chosen = (str(nonce), secrets.token_bytes(WORD_BYTES), secrets.token_bytes(WORD_BYTES))
    document.setdefault("nonce", chosen[0])
    document.setdefault("trade_ref", "0x" + chosen[1].hex())
    document.setdefault("terms", "0x" + chosen[2].hex())
    return side_request(_parse(document, index), own.lei).side


def _known(program: Participant, reference: object) -> TradeSide | None:
    try:
        return program.journal.instructed(str(reference))
    except NotFound:
        return None


def _parse(document: Mapping[str, Any], index: int) -> SideIn:
    try:
        # As JSON, because the API reads it so: what it would refuse is refused here.
        return SideIn.model_validate_json(json.dumps(document))
    except ValidationError as error:
        fault = error.errors(include_input=False, include_url=False)[0]
        pointer = "".join(f"/{step}" for step in (index, *fault["loc"]))
        raise InvalidInput("side_form", f"{pointer}: {fault['msg']}", pointer) from error
