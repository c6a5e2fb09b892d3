"""Terms, sides, reasons and differences as the text in which columns keep them."""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from settle.domain.errors import Broken
from settle.domain.ids import Address, AssetId, to_hex
from settle.domain.instruction import Instruction, Leg
from settle.domain.instruction_json import to_json
from settle.domain.matching import Mismatch
from settle.domain.reasons import Reason
from settle.domain.side import TradeSide

if TYPE_CHECKING:
    from collections.abc import Sequence

NOTHING: Final = "[]"
_SIDE_FIELDS: Final = tuple(field.name for field in fields(TradeSide))
_TERMS_KEPT: Final = 4_096
_DATES: Final = ("trade_date", "settlement_date")
_BYTES: Final = ("account", "counterparty_account", "trade_ref", "terms")
_NUMBERS: Final = ("quantity", "amount", "minimum_lot", "nonce")


def dump(value: object) -> str:
    """JSON without spaces, keys as they come."""
    return json.dumps(value, separators=(",", ":"))


def terms_text(instruction: Instruction | None) -> str | None:
    """Signed terms as text."""
    return None if instruction is None else dump(to_json(instruction))


def terms_of(text: str | None) -> Instruction | None:
    """Signed terms from text that `terms_text` wrote, without the checks that strangers get.

    Raises Broken for any other text.
    """
    return None if text is None else _kept_terms(text)


@lru_cache(maxsize=_TERMS_KEPT)
def _kept_terms(text: str) -> Instruction:
    """Terms never change, and a trade's are read several times until it is final."""
    try:
        return _terms(json.loads(text))
    except (KeyError, TypeError, ValueError) as error:
        raise Broken(f"terms in the database are damaged: {text[:80]}") from error


def _terms(members: dict[str, Any]) -> Instruction:
    return Instruction(
        initiator=Address(_octets(members["initiator"])),
        nonce=int(members["nonce"]),
        settle_from=int(members["settle_from"]),
        settle_by=int(members["settle_by"]),
        cycle=_octets(members["cycle"]),
        options=int(members["options"]),
        minimum_lot=int(members["minimum_lot"]),
        predecessor=_octets(members["predecessor"]),
        trade_ref=_octets(members["trade_ref"]),
        terms=_octets(members["terms"]),
        legs=tuple(
            Leg(
                asset=AssetId(int(leg["asset"])),
                deliverer=Address(_octets(leg["deliverer"])),
                receiver=Address(_octets(leg["receiver"])),
                quantity=int(leg["quantity"]),
            )
            for leg in members["legs"]
        ),
    )


def _octets(text: str) -> bytes:
    return bytes.fromhex(text[2:])


def reasons_text(reasons: Sequence[Reason]) -> str:
    """Reasons as text. Integers as strings: they have up to 256 bits."""
    if not reasons:
        return NOTHING
    return dump(
        [
            [r.code, r.leg, None if r.who is None else to_hex(r.who), str(r.needed), str(r.have)]
            for r in reasons
        ]
    )


def reasons_of(text: str) -> tuple[Reason, ...]:
    """Reasons from text."""
    if text == NOTHING:
        return ()
    return tuple(
        Reason(
            code=code,
            leg=leg,
            who=None if who is None else Address(bytes.fromhex(who[2:])),
            needed=int(needed),
            have=int(have),
        )
        for code, leg, who, needed, have in json.loads(text)
    )


def differences_text(differences: Sequence[Mismatch]) -> str:
    """Differences as text."""
    if not differences:
        return NOTHING
    return dump([[m.field, m.code, m.ours, m.theirs] for m in differences])


def differences_of(text: str) -> tuple[Mismatch, ...]:
    """Differences from text."""
    if text == NOTHING:
        return ()
    return tuple(
        Mismatch(field=field, code=code, ours=ours, theirs=theirs)
        for field, code, ours, theirs in json.loads(text)
    )


def side_text(side: TradeSide) -> str:
    """All fields of a side as text."""
    values = {name: getattr(side, name) for name in _SIDE_FIELDS}
    for name in _DATES:
        values[name] = values[name].isoformat()
    for name in _BYTES:
        values[name] = None if values[name] is None else to_hex(values[name])
    for name in _NUMBERS:
        values[name] = None if values[name] is None else str(values[name])
    return dump(values)


def side_of(text: str) -> TradeSide:
    """A side from text."""
    values: dict[str, Any] = json.loads(text)
    for name in _DATES:
        values[name] = date.fromisoformat(values[name])
    for name in _BYTES:
        values[name] = None if values[name] is None else bytes.fromhex(values[name][2:])
    for name in _NUMBERS:
        values[name] = None if values[name] is None else int(values[name])
    return TradeSide(**values)
