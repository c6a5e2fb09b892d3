"""What a participant refuses to give away, and which bundles it refuses to keep."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from settle.chain.eip712 import address_of, sign
from settle.client.client import Client
from settle.client.documents import AccountSignature, Bundle, Domain, ToldInstruction, ToldLeg
from settle.client.signer import KeySigner
from settle.domain.errors import InvalidInput, NotFound, Refused, Unavailable
from settle.domain.ids import Address
from settle.domain.instruction import Instruction, SigningDomain, instruction_id
from settle.domain.matching import proposed_terms
from settle.signer import Journal, Participant
from settle.signer.bundles import complete_signatures
from tests.signer.test_review import MARKET, SIDE, THEM, US

OUR_KEY, THEIR_KEY = b"\x11" * 32, b"\x22" * 32
OURS, THEIRS = address_of(OUR_KEY), address_of(THEIR_KEY)
DOMAIN = SigningDomain(chain_id=1, verifying_contract=Address(b"\x5f" * 20))
OUR_SIDE = replace(SIDE, account=OURS, counterparty_account=THEIRS)
OUR_MARKET = replace(MARKET, own_accounts=frozenset({OURS}), owner_of={OURS: US, THEIRS: THEM}.get)
TERMS = proposed_terms(OUR_SIDE, MARKET.assets, {}, MARKET.rules.window(SIDE.settlement_date))
DIGEST = instruction_id(TERMS, DOMAIN)


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "journal.db")


@pytest.fixture
def alone(journal: Journal) -> Participant:
    """A participant whose venue does not answer."""
    client = Client("http://127.0.0.1:1", KeySigner(OUR_KEY), patience_s=0)
    return Participant(client, journal, KeySigner(OUR_KEY), OUR_MARKET, DOMAIN)


def test_sides_and_signatures_are_on_disk_before_the_venue_hears_of_them(
    alone: Participant, journal: Journal
) -> None:
    with pytest.raises(Unavailable):
        alone.submit([OUR_SIDE], presign={"R1"})
    assert journal.instructed("R1") == OUR_SIDE
    assert journal.signed_terms("R1") == (DIGEST, TERMS)


@pytest.mark.parametrize(
    ("side", "code"),
    [
        (
            replace(OUR_SIDE, movement="RECE", delivering_party=THEM, receiving_party=US),
            "presign_receiver",
        ),
        (replace(OUR_SIDE, counterparty_account=None), "presign_account"),
    ],
)
def test_what_cannot_be_signed_beforehand_is_refused_before_it_is_remembered(
    alone: Participant, journal: Journal, side: object, code: str
) -> None:
    with pytest.raises(InvalidInput) as refusal:
        alone.submit([side], presign={"R1"})  # type: ignore[list-item]
    assert refusal.value.code == code
    with pytest.raises(NotFound):
        journal.instructed("R1")


def test_only_its_own_account_is_signed_for(alone: Participant, journal: Journal) -> None:
    alone.market = replace(OUR_MARKET, own_accounts=frozenset({THEIRS}))
    with pytest.raises(Refused, match="own account"):
        alone.submit([OUR_SIDE], presign={"R1"})
    with pytest.raises(NotFound):
        journal.signed_terms("R1")


# ------------------------------------------------------------------------------- bundles


def bundle(terms: Instruction, *signatures: tuple[Address, bytes]) -> Bundle:
    legs = tuple(
        ToldLeg(
            asset=leg.asset,
            code="",
            decimals=0,
            deliverer=leg.deliverer,
            receiver=leg.receiver,
            quantity=leg.quantity,
        )
        for leg in terms.legs
    )
    names = "initiator nonce settle_from settle_by cycle options minimum_lot predecessor"
    fields = {name: getattr(terms, name) for name in (*names.split(), "trade_ref", "terms")}
    return Bundle(
        trade_id="T",
        digest=DIGEST,
        domain=Domain(name="settle", version="1", chain_id=1, verifying_contract=bytes(20)),
        instruction=ToldInstruction(legs=legs, **fields),
        signatures=tuple(AccountSignature(account=who, signature=one) for who, one in signatures),
    )


BY_US, BY_THEM = (OURS, sign(DIGEST, OUR_KEY)), (THEIRS, sign(DIGEST, THEIR_KEY))


def test_a_complete_bundle_is_kept() -> None:
    kept = complete_signatures(bundle(TERMS, BY_US, BY_THEM), DIGEST, DOMAIN, None)
    assert kept == [BY_US[1], BY_THEM[1]]


@pytest.mark.parametrize(
    "wrong",
    [
        bundle(replace(TERMS, nonce=8), BY_US, BY_THEM),
        bundle(TERMS, BY_US),
        bundle(TERMS, BY_THEM, BY_US),
        bundle(TERMS, BY_US, (THEIRS, sign(b"\x01" * 32, THEIR_KEY))),
        bundle(TERMS, BY_US, (THEIRS, b"")),
    ],
    ids=["other terms", "one missing", "wrong order", "of something else", "empty"],
)
def test_a_bundle_that_would_settle_nothing_is_refused(wrong: Bundle) -> None:
    with pytest.raises(Refused) as refusal:
        complete_signatures(wrong, DIGEST, DOMAIN, None)
    assert refusal.value.code == "bundle_wrong"


def test_a_wallet_answers_for_its_own_signature() -> None:
    asked: list[tuple[Address, bytes, bytes]] = []

    def accepts(account: Address, digest: bytes, signature: bytes) -> bool:
        asked.append((account, digest, signature))
        return account == THEIRS

    by_wallet = (THEIRS, b"any form")
    kept = complete_signatures(bundle(TERMS, BY_US, by_wallet), DIGEST, DOMAIN, accepts)
    assert kept == [BY_US[1], b"any form"]
    assert asked == [(THEIRS, DIGEST, b"any form")]
