from __future__ import annotations

from settle.domain.ids import Address, AssetId, InstructionId
from settle.domain.instruction import (
    Instruction,
    Leg,
    SigningDomain,
    accounts_of,
    cancellation_digest,
    instruction_id,
    release_digest,
    reservation_digest,
    withdrawal_digest,
)

A, B, C, D = (Address(bytes([n]) * 20) for n in (0xA, 0xB, 0xC, 0xD))
DOMAIN = SigningDomain(chain_id=31_337, verifying_contract=Address(b"\x11" * 20))


def _leg(deliverer: Address, receiver: Address, asset: int = 1) -> Leg:
    return Leg(asset=AssetId(asset), deliverer=deliverer, receiver=receiver, quantity=1)


def _instruction(*legs: Leg) -> Instruction:
    return Instruction(initiator=A, nonce=1, settle_from=10, settle_by=20, legs=legs)


def test_accounts_stand_in_order_of_first_appearance_deliverer_first() -> None:
    assert accounts_of(_instruction(_leg(A, B), _leg(B, A, 2))) == (A, B)
    assert accounts_of(_instruction(_leg(B, A), _leg(C, A), _leg(D, C))) == (B, A, C, D)
    assert accounts_of(_instruction(_leg(A, A))) == (A,)
    assert accounts_of(_instruction()) == ()


def test_the_order_of_the_legs_is_part_of_the_terms() -> None:
    one, two = _leg(A, B), _leg(B, A, 2)
    assert instruction_id(_instruction(one, two), DOMAIN) != instruction_id(
        _instruction(two, one), DOMAIN
    )


def test_every_message_about_an_instruction_has_a_digest_of_its_own() -> None:
    about = InstructionId(b"\x07" * 32)
    digests = {
        about,
        *(
            reservation_digest(who, about, DOMAIN, committed=flag)
            for who in (A, B)
            for flag in (True, False)
        ),
        *(release_digest(who, about, DOMAIN) for who in (A, B)),
        *(withdrawal_digest(who, about, DOMAIN) for who in (A, B)),
        *(cancellation_digest(who, about, DOMAIN, valid_by=by) for who in (A, B) for by in (1, 2)),
    }
    assert len(digests) == 13


def test_a_signature_is_for_one_contract_on_one_chain() -> None:
    instruction = _instruction(_leg(A, B))
    domains = [
        DOMAIN,
        SigningDomain(chain_id=1, verifying_contract=DOMAIN.verifying_contract),
        SigningDomain(chain_id=31_337, verifying_contract=A),
        SigningDomain(chain_id=31_337, verifying_contract=DOMAIN.verifying_contract, version="2"),
        SigningDomain(chain_id=31_337, verifying_contract=DOMAIN.verifying_contract, name="other"),
    ]
    assert len({instruction_id(instruction, domain) for domain in domains}) == 5
    about = InstructionId(bytes(32))
    assert len({cancellation_digest(A, about, domain, valid_by=9) for domain in domains}) == 5
