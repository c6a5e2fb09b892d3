"""`settle escrow alone`: the next thing that can happen, done on the chain without a venue."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from settle.chain.deployment import load_deployment
from settle.chain.direct import DirectSender
from settle.chain.node import Node
from settle.chain.rpc import Rpc
from settle.cli.escrow_looks import IdArgument, escrow
from settle.cli.output import JsonOption, show
from settle.cli.profile import ProfileOption, load_profile
from settle.cli.signer import ConfirmationsOption, DeploymentOption, RpcOption
from settle.domain.errors import InvalidInput
from settle.domain.ids import parse_word
from settle.signer.alone import any_node
from settle.signer.escrow_alone import AloneOnEscrow
from settle.signer.escrow_journal import EscrowJournal, newest, read_bundle

__all__ = ["escrow"]


@escrow.command("alone")
def alone(
    escrow_id: IdArgument,
    profile: ProfileOption,
    withdraw: Annotated[
        bool, typer.Option("--withdraw", help="take your signature back before the opening")
    ] = False,
    give_up: Annotated[
        bool,
        typer.Option(
            "--give-up", help="have what waits 30 days behind another's freeze returned to all"
        ),
    ] = False,
    brought: Annotated[
        list[Path] | None,
        typer.Option("--with", help="what another gave you: its --keep --json, used this once"),
    ] = None,
    rpc: RpcOption = None,
    deployment: DeploymentOption = None,
    confirmations: ConfirmationsOption = 1,
    as_json: JsonOption = False,
) -> None:
    """Open, end or pay out what the kept messages and the clock allow now, on the chain alone."""
    own = load_profile(profile)
    if withdraw and give_up:
        raise InvalidInput("one_act", "--withdraw is before the opening, --give-up after an end")
    file = own.load_deployment() if deployment is None else load_deployment(deployment)
    node = own.node() if rpc is None else Node(Rpc(rpc))
    direct = DirectSender(node=node, profile=any_node(file.chain_id, confirmations), key=own.key())
    identity = parse_word(escrow_id)
    with EscrowJournal(own.journal) as journal:
        terms, kept = journal.bundle(identity)
    given = [one for path in brought or () for one in read_bundle(path, identity)]
    taken = AloneOnEscrow(deployment=file, direct=direct)
    if withdraw:
        done = taken.withdraw(terms)
    else:
        done = taken.give_up(terms) if give_up else taken.act(terms, newest([*kept, *given]))
    text = f"{done.verb} is final in block {done.block}, {done.gas_used} gas"
    show(done, as_json=as_json, text=text)
