"""The calls that set a market up, made on contract and twin together."""

from __future__ import annotations

from typing import Final

from settle.domain import chainstate as twin
from settle.domain.ids import Address, AssetId
from settle.domain.ledger import AssetClass, Standing, code_bytes
from tests.parity.evm import DEPLOYER
from tests.parity.lockstep import Lockstep
from tests.parity.terms import ASSETS
from tests.parity.world import World

GRANT: Final = 200


def prepare(world: World) -> Lockstep:
    """Return a world in which everybody is admitted and holds something."""
    both = Lockstep(world)
    for number, kind in enumerate(list(AssetClass)[1:], start=1):
        create_asset(both, kind, 2 * (number % 3), code_bytes(f"ASSET{number}"), world.owners[0])
    for account in world.owners:
        set_standing(both, account, Standing.ADMITTED, 1)
        for asset in ASSETS[1:7]:
            issue(both, asset, account, GRANT)
    set_module(both, world.owners[0], active=True)
    both.compare_books()
    return both


def create_asset(
    both: Lockstep, kind: AssetClass, decimals: int, code: bytes, issuer: Address
) -> None:
    both.act(
        "createAsset",
        (kind, decimals, code, issuer),
        DEPLOYER,
        lambda: twin.create_asset(
            both.state, class_=kind, decimals=decimals, code=code, issuer=issuer
        ),
    )


def set_standing(both: Lockstep, account: Address, standing: Standing, class_: int) -> None:
    both.act(
        "setStanding",
        (account, standing, class_),
        DEPLOYER,
        lambda: twin.set_standing(both.state, account, standing, class_),
    )


def issue(both: Lockstep, asset: AssetId, account: Address, quantity: int) -> None:
    ref = bytes(32)
    both.act(
        "issue",
        (asset, account, quantity, ref),
        DEPLOYER,
        lambda: twin.issue(both.state, asset, account, quantity, ref),
    )


def set_module(both: Lockstep, module: Address, *, active: bool) -> None:
    both.act(
        "setModule",
        (module, active),
        DEPLOYER,
        lambda: twin.set_module(both.state, module, active=active),
    )
