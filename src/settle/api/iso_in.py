"""Takes a sese.023 in: as the side of a trade, or refused whole with a sese.024."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from sqlalchemy import select

from settle.api.iso_names import IsoNames, StoredDirectory
from settle.domain.errors import Broken, InvalidInput, SettleError
from settle.domain.ids import ZERO_WORD
from settle.domain.instruction import UINT64_MAX
from settle.iso20022.findings import Finding
from settle.iso20022.sese023 import Rejection, Sese023, read
from settle.services.examine_sides import ExaminedSide, SideRequest, examine_sides
from settle.services.submit_sides import Submitted, submit_sides
from settle.store.tables import trades
from settle.store.trade_columns import nonce_key

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from settle.domain.ids import Address, Lei
    from settle.services.venue import Venue

FIRST_NONCE: Final = 2**63
"""A message has no nonce. These are counted up from here, where no participant's own ones are."""

_BY_POINTER: Final = {
    "/isin": "DSEC",
    "/currency": "NCRR",
    "/amount": "DMON",
    "/quantity": "DQUA",
    "/trade_date": "DTRD",
    "/settlement_date": "DDAT",
    "/delivering_party": "ICAG",
    "/receiving_party": "ICAG",
    "/account": "SAFE",
    "/counterparty_account": "SAFE",
    "/transaction_type": "SETR",
}
_BY_CODE: Final = {"duplicate_reference": "REFE", "settlement_date_over": "LATE"}
_NO_CODE: Final = "VALR"


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """A message that nothing but the other sides can refuse."""

    message: Sese023
    side: ExaminedSide


def read_message(
    venue: Venue, conn: Connection, names: IsoNames, sender: Lei, xml: bytes
) -> Sese023 | Rejection:
    """Read a message. Raises InvalidInput for one that has no reference to answer to."""
    directory = StoredDirectory(venue.store, conn, names)
    return read(xml, directory, directory, sender=sender)


def examine_message(venue: Venue, sender: Lei, message: Sese023, at: int) -> Examined:
    """Examine the side that a message states. Raises as `examine_sides`."""
    side = message.side(
        side_id="", received_at=0, nonce=FIRST_NONCE, trade_ref=ZERO_WORD, terms=ZERO_WORD
    )
    [examined] = examine_sides(
        venue, sender, [SideRequest(side=side)], at, pointer=lambda _index: ""
    )
    return Examined(message=message, side=examined)


def submit_message(
    venue: Venue, conn: Connection, sender: Lei, examined: Examined, at: int
) -> Submitted:
    """Submit the side; sent again, it is the same side. Raises as `submit_sides`."""
    reference = examined.message.tx_id
    known = venue.store.sides_by_reference(conn, sender, [reference]).get(reference)
    nonce = next_nonce(conn, examined.side.account) if known is None else known.side.nonce
    side = replace(examined.side, side=replace(examined.side.side, nonce=nonce))
    [result] = submit_sides(venue, conn, sender, [side], at)
    return result


def next_nonce(conn: Connection, account: Address) -> int:
    """Count up: nonces that stand together share a storage slot on chain."""
    key = trades.c.nonce_key
    first, last = nonce_key(account, FIRST_NONCE), nonce_key(account, UINT64_MAX)
    newest = select(key).where(key >= first, key <= last).order_by(key.desc()).limit(1)
    found: bytes | None = conn.execute(newest).scalar_one_or_none()
    if found is None:
        return FIRST_NONCE
    if found == last:
        raise Broken(f"the account 0x{account.hex()} has no nonce left")
    return int.from_bytes(found[len(account) :], "big") + 1


def rejection_of(message: Sese023, error: SettleError) -> Rejection:
    """Say with a code of sese.024 why the use cases refused the side of a message."""
    pointer = error.pointer if isinstance(error, InvalidInput) else ""
    code = _BY_CODE.get(error.code) or _BY_POINTER.get(pointer, _NO_CODE)
    finding = Finding(code=code, path=pointer.removeprefix("/") or "TxId", sentence=error.message)
    return Rejection(version=message.version, tx_id=message.tx_id, findings=(finding,))
