"""An escrow through the client alone, on a real chain: proposed, signed, proved, ended."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from settle.chain.eip712 import address_of, sign
from settle.client.escrows import EscrowMessage
from settle.domain.errors import Conflict, InvalidInput
from settle.domain.escrow.conditions import Signed
from settle.domain.escrow.evidence import signed_evidence
from settle.domain.escrow.program import write_program
from settle.domain.escrow.register import AssetEntry, Register
from settle.domain.escrow.terms import EscrowLine, EscrowTerms, attestation_digest, escrow_id
from settle.domain.escrow.wording import print_terms, with_text
from settle.domain.ids import Address
from tests.api.stage import EUR, EURO, Stage, set_stage
from tests.api.test_operator import Clients, Running
from tests.api.world import wait_for

CARRIER_KEY = b"carrier".rjust(32, b"\1")
CARRIER = address_of(CARRIER_KEY)
DELIVERED = b"delivered".ljust(32, b"\0")
REGISTER = Register([AssetEntry(number=EURO, code=EUR, decimals=2)])


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    made = set_stage(tmp_path_factory.mktemp("escrow-client"), "anvil")
    yield made
    made.chain.engine.stop()


@pytest.fixture(scope="module")
def running(stage: Stage) -> Iterator[Running]:
    made, clients = Running(stage), Clients()
    wait_for(clients(made.url).is_ready, 30)
    stage.enter(made.url)
    yield made
    clients.close()
    made.stop()


def sale(stage: Stage) -> EscrowTerms:
    """10 euro for a delivery within a day that the carrier attests."""
    now = int(time.time())
    line = EscrowLine(
        milestone=0,
        asset=EURO,
        depositor=Address(stage.buyer.account),
        beneficiary=Address(stage.seller.account),
        quantity=1_000,
        if_met=1_000,
        by_default=0,
        if_unruled=0,
    )
    terms = EscrowTerms(
        open_by=now + 3_600,
        lines=(line,),
        deadlines=(now + 86_400,),
        program=write_program([Signed(signer=CARRIER, statement=DELIVERED)]),
    )
    return with_text(terms, REGISTER)


def test_a_sale_from_proposal_to_payment(stage: Stage, running: Running) -> None:
    clients, domain = Clients(), stage.chain.deployment.domain
    buyer, seller = clients(running.url, stage.buyer), clients(running.url, stage.seller)
    terms = sale(stage)
    made = buyer.propose_escrow(terms)
    assert (made.id, made.terms) == (escrow_id(terms, domain), terms)
    assert buyer.escrow_text(made.id) == made.text == print_terms(terms, REGISTER)
    assert [one.id for one in seller.escrows(waiting_on_me=True)] == [made.id]
    for client, party in ((buyer, stage.buyer), (seller, stage.seller)):
        message = EscrowMessage(kind="consent", signature=sign(made.id, party.key))
        client.send_escrow_message(made.id, message)
    wait_for(lambda: seller.escrow(made.id).status == "Open", 30)
    [held] = [one for one in buyer.positions() if one.asset_id == EURO]
    assert held.held == 1_000
    [now] = seller.escrow_now(made.id).milestones
    assert {way.name for way in now.ways} == {"agreement", "condition"}
    [awaited] = seller.escrow(made.id).waiting_on
    assert (awaited.account, awaited.what) == (CARRIER, "evidence")

    observed_at = int(time.time())
    digest = attestation_digest(
        made.id, 0, CARRIER, DELIVERED, observed_at=observed_at, domain=domain
    )
    forged = signed_evidence(observed_at, sign(digest, stage.seller.key))
    with pytest.raises(InvalidInput) as refused:
        seller.send_escrow_message(made.id, EscrowMessage(kind="evidence", data=forged))
    assert (refused.value.code, refused.value.pointer) == ("evidence_invalid", "/data")
    proof = signed_evidence(observed_at, sign(digest, CARRIER_KEY))
    seller.send_escrow_message(made.id, EscrowMessage(kind="evidence", data=proof))
    wait_for(lambda: seller.escrow(made.id).status == "Ended", 30)

    ended = seller.escrow(made.id)
    assert [(one.outcome, one.ended_by, one.paid) for one in ended.milestones] == [
        ("released", "condition", (1_000,))
    ]
    [paid] = [one for one in seller.positions() if one.asset_id == EURO]
    assert paid.available == 1_000
    with pytest.raises(Conflict):
        seller.send_escrow_message(made.id, EscrowMessage(kind="evidence", data=proof))
    kinds = []
    for event in seller.events():
        kinds.append(event.kind)
        if event.payload["status"] == "Ended":
            break
    assert kinds[0] == "escrow.proposed"
    assert {"escrow.consent", "escrow.evidence"} < set(kinds)
    clients.close()
