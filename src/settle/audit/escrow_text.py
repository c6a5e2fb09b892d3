"""The English that an escrow's terms name by hash, printed anew from the chain's own register.

Not a rule of the contract, which cannot read: whoever signs is to refuse a foreign text, and who
did not has signed words that say something else than what runs. The printer is the domain's own,
for the wording is what it prints.
"""

from __future__ import annotations

from collections.abc import Mapping

from settle.audit.books import Asset
from settle.audit.escrow_terms import EscrowTerms
from settle.domain.chain_errors import Reverted
from settle.domain.errors import InvalidInput
from settle.domain.escrow import terms as printable
from settle.domain.escrow.register import AssetEntry, Register
from settle.domain.escrow.wording import text_hash
from settle.domain.ids import Address, AssetId
from settle.domain.ledger import code_text


def printed_hash(terms: EscrowTerms, assets: Mapping[int, Asset]) -> bytes | None:
    """Hash the terms as they print; None where they cannot be, as with an unknown asset."""
    try:
        register = Register(
            AssetEntry(
                number=AssetId(number),
                code=code_text(assets[number].code),
                decimals=assets[number].decimals,
            )
            for number in dict.fromkeys(line.asset for line in terms.lines)
            if number in assets
        )
        return text_hash(_printable(terms), register)
    except (Reverted, InvalidInput, ValueError):
        return None


def _printable(terms: EscrowTerms) -> printable.EscrowTerms:
    return printable.EscrowTerms(
        open_by=terms.open_by,
        lines=tuple(
            printable.EscrowLine(
                milestone=line.milestone,
                asset=AssetId(line.asset),
                depositor=Address(line.depositor),
                beneficiary=Address(line.beneficiary),
                quantity=line.quantity,
                if_met=line.if_met,
                by_default=line.by_default,
                if_unruled=line.if_unruled,
            )
            for line in terms.lines
        ),
        deadlines=terms.deadlines,
        program=terms.program,
        arbiters=tuple(map(Address, terms.arbiters)),
        quorum=terms.quorum,
        answer_time=terms.answer_time,
        fallback_arbiter=Address(terms.fallback),
        fallback_time=terms.fallback_time,
        ref=terms.ref,
        salt=terms.salt,
    )
