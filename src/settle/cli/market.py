"""`settle participant` and `settle asset`: who takes part, and what is on the books.

What changes something needs two signatures of two organisations; these commands are for the local
venue, whose folder has all keys.
"""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from settle.chain.contracts import ParticipantsContract, SettlementContract
from settle.chain.direct import Order
from settle.cli.output import JsonOption, show, table, tell
from settle.cli.profile import connected, load_profile
from settle.cli.state import STATE, State, StateOption
from settle.domain.errors import Conflict, InvalidInput, NotFound, Refused
from settle.domain.ids import Address, AssetId, account_address, parse_bic, parse_lei, to_hex
from settle.domain.ledger import Asset, AssetClass, code_text
from settle.domain.money import format_quantity, parse_quantity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from settle.client.client import Client
    from settle.local_chain import LocalChain

participant = typer.Typer(help="Participants of the venue.", no_args_is_help=True)
asset = typer.Typer(help="Assets of the ledger.", no_args_is_help=True)
AsOption = Annotated[
    Path | None,
    typer.Option("--profile", "-p", envvar="SETTLE_PROFILE", help="ask as this participant"),
]
_CLASSES: Final = tuple(one.name.lower() for one in AssetClass if one)
_MEANS_WEI: Final = 10**18
_TRANSFER_GAS: Final = 21_000


@contextmanager
def asking(profile: Path | None, state: Path) -> Iterator[Client]:
    """Ask the API as a participant, or else as the operator of the local venue."""
    if profile is None:
        with State(state).client() as client:
            yield client
    else:
        with connected(load_profile(profile)) as client:
            yield client


@participant.command("list")
def list_participants(
    profile: AsOption = None, state: StateOption = STATE, as_json: JsonOption = False
) -> None:
    """List the participants that you may see."""
    with asking(profile, state) as client:
        found = client.participants()
    rows = [(one.lei, one.bic or "", one.name, len(one.accounts)) for one in found]
    show(found, as_json=as_json, text=table(list(rows), "LEI", "BIC", "name", "accounts"))


@participant.command("admit")
def admit(
    lei: Annotated[str, typer.Option(help="legal entity identifier")],
    bic: Annotated[str, typer.Option(help="8 or 11 characters")],
    name: Annotated[str, typer.Option(help="as it is shown")],
    account: Annotated[list[str], typer.Option(help="address; one or more")],
    state: StateOption = STATE,
    as_json: JsonOption = False,
) -> None:
    """Admit a participant on chain and enter it in the directory; again changes nothing."""
    venue = State(state)
    parse_lei(lei)
    parse_bic(bic)
    accounts = [account_address(text) for text in account]
    chain = venue.running_chain()
    node = chain.engine.node()
    registry = ParticipantsContract(chain.deployment.participants)
    owners = {one: registry.lei_of(node, one, node.head().number) for one in accounts}
    for one, owner in owners.items():
        if owner not in {"", lei}:
            raise Conflict("account_taken", f"{to_hex(one)} is an account of {owner}")
    fresh = [one for one, owner in owners.items() if not owner]
    if fresh:
        _admit(chain, lei, bic, fresh)
    with venue.client() as client:
        entered = client.put_participant(lei=lei, name=name, bic=bic, accounts=accounts)
    text = f"{lei} {name} is admitted with {len(accounts)} account(s)"
    show(entered, as_json=as_json, text=text)


def _admit(chain: LocalChain, lei: str, bic: str, accounts: list[Address]) -> None:
    desk = chain.desk
    try:
        desk.perform([desk.admit(lei, bic, accounts)])
    except Refused as fault:
        if fault.code != "participant_exists":
            raise
        desk.perform([desk.open_account(lei, one) for one in accounts])
    means = [
        Order(to=one, data=b"", gas=_TRANSFER_GAS, value=_MEANS_WEI, what=f"means of {to_hex(one)}")
        for one in accounts
    ]
    desk.perform(means)
    tell("each account has means to pay for transactions of its own")


@asset.command("list")
def list_assets(
    profile: AsOption = None, state: StateOption = STATE, as_json: JsonOption = False
) -> None:
    """List all assets."""
    with asking(profile, state) as client:
        found = client.assets()
    rows = [(one.asset_id, one.code, one.asset_class, one.decimals, one.frozen) for one in found]
    text = table(list(rows), "id", "code", "class", "decimals", "frozen")
    show(found, as_json=as_json, text=text)


@asset.command("create")
def create(
    code: Annotated[str, typer.Option(help="ISIN, or currency")],
    asset_class: Annotated[str, typer.Option("--class", help=", ".join(_CLASSES))],
    decimals: Annotated[int, typer.Option(min=0, max=36)],
    issuer: Annotated[str, typer.Option(help="account of who issues and redeems")],
    state: StateOption = STATE,
    as_json: JsonOption = False,
) -> None:
    """Create an asset; its number is the next one."""
    if asset_class not in _CLASSES:
        raise InvalidInput("asset_class", f"the class is one of {', '.join(_CLASSES)}")
    chain = State(state).running_chain()
    if code in {code_text(one.code) for one in _assets(chain).values()}:
        raise Conflict("asset_exists", f"there is an asset {code}")
    desk = chain.desk
    order = desk.create_asset(
        AssetClass[asset_class.upper()], decimals, code, account_address(issuer)
    )
    [receipt] = desk.perform([order])
    number, _ = _asset(chain, code)
    told = {"asset_id": number, "code": code, "block": receipt.block_number}
    show(told, as_json=as_json, text=f"{code} is asset {number}")


@asset.command("issue")
def issue(
    code: Annotated[str, typer.Option(help="ISIN, or currency")],
    account: Annotated[str, typer.Option(help="who gets it")],
    quantity: Annotated[str, typer.Option(help="in units of the asset, such as 1000.50")],
    state: StateOption = STATE,
    as_json: JsonOption = False,
) -> None:
    """Bring value into being on an account."""
    chain = State(state).running_chain()
    number, found = _asset(chain, code)
    units = parse_quantity(quantity, found.decimals)
    holder = account_address(account)
    [receipt] = chain.desk.perform([chain.desk.issue(number, holder, units, bytes(32))])
    told = {
        "asset_id": number,
        "code": code,
        "account": holder,
        "quantity": units,
        "block": receipt.block_number,
    }
    text = f"{format_quantity(units, found.decimals)} {code} issued to {to_hex(holder)}"
    show(told, as_json=as_json, text=text)


def _assets(chain: LocalChain) -> dict[AssetId, Asset]:
    node = chain.engine.node()
    return SettlementContract(chain.deployment.settlement).assets(node, node.head().number)


def _asset(chain: LocalChain, code: str) -> tuple[AssetId, Asset]:
    for number, found in _assets(chain).items():
        if code_text(found.code) == code:
            return number, found
    raise NotFound(f"there is no asset {code}")
