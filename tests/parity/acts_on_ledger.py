"""Random calls of the registrar, the issuer and compliance, and of the clock."""

from __future__ import annotations

from typing import Final

from settle.domain import chainstate as twin
from settle.domain.ids import ZERO_ADDRESS, Address, AssetId
from settle.domain.instruction import Redemption, redemption_digest
from settle.domain.ledger import AssetClass, Standing, code_bytes
from settle.domain.money import UINT128_MAX
from tests.parity.draws import Draws
from tests.parity.evm import DEPLOYER
from tests.parity.market import GRANT, create_asset, issue, set_standing
from tests.parity.terms import ASSETS, NONCES

REASON: Final = b"TEST"


def wait(draws: Draws) -> None:
    """Let the clock stand at an edge of something, or go on a little."""
    both, random = draws.both, draws.random
    edges = [
        instant + offset
        for instruction in draws.pool
        for instant in (instruction.settle_from, instruction.settle_by)
        for offset in (-1, 0)
    ]
    edges += [hold.deadline + offset for hold in both.holds for offset in (-1, 0)]
    near = sorted(edge for edge in edges if both.now <= edge < both.now + 300)
    later = [edge for edge in edges if edge > both.now]
    target = both.now + random.choice((1, 2, 10))
    if near and random.random() < 0.6:
        target = random.choice(near[:4])
    elif later and random.random() < 0.05:
        target = random.choice(later)
    both.world.evm.now = target


def change_standing(draws: Draws) -> None:
    account = draws.random.choice(draws.both.world.owners)
    standing = draws.random.choice((*[Standing.ADMITTED] * 3, *Standing))
    set_standing(draws.both, account, standing, draws.random.randint(0, 255))


def freeze_account(draws: Draws) -> None:
    account = draws.random.choice(draws.both.world.owners)
    set_account_frozen(draws, account, frozen=draws.random.random() < 0.35)


def set_account_frozen(draws: Draws, account: Address, *, frozen: bool) -> None:
    draws.both.act(
        "freezeAccount",
        (account, frozen, REASON),
        DEPLOYER,
        lambda: twin.freeze_account(draws.both.state, account, frozen=frozen, why=REASON),
    )


def freeze_asset(draws: Draws) -> None:
    asset = draws.random.choice(ASSETS)
    set_asset_frozen(draws, asset, frozen=draws.random.random() < 0.35)


def set_asset_frozen(draws: Draws, asset: AssetId, *, frozen: bool) -> None:
    draws.both.act(
        "freezeAsset",
        (asset, frozen, REASON),
        DEPLOYER,
        lambda: twin.freeze_asset(draws.both.state, asset, frozen=frozen, why=REASON),
    )


def thaw(draws: Draws) -> None:
    """Admit and unfreeze all, so that a walk does not end in a standstill."""
    both = draws.both
    for account in both.world.owners:
        word = both.state.books.account(account)
        if word.standing is not Standing.ADMITTED:
            set_standing(both, account, Standing.ADMITTED, word.class_)
        if word.frozen:
            set_account_frozen(draws, account, frozen=False)
    for number, asset in both.state.books.assets.items():
        if asset.frozen:
            set_asset_frozen(draws, number, frozen=False)


def add_asset(draws: Draws) -> None:
    random, both = draws.random, draws.both
    code = code_bytes(f"ASSET{random.randint(1, 8)}")
    if len(both.state.books.assets) >= len(ASSETS) - 1:
        code = code_bytes("ASSET1")
    if random.random() < 0.2:
        strange = (b"", b"A B", b"A\x00B", b"\x00A", b"\xc3\x84", b"A\x7f", b"\x1fA")
        code = random.choice(strange).ljust(12, b"\x00")
    kind = random.choice(tuple(AssetClass))
    create_asset(both, kind, random.choice((0, 2, 18, 19)), code, ZERO_ADDRESS)


def bring_in(draws: Draws) -> None:
    random = draws.random
    account = random.choice((*draws.both.world.owners, draws.both.world.stranger))
    quantity = random.choice((0, 1, *[random.randint(1, GRANT)] * 5, UINT128_MAX))
    issue(draws.both, random.choice(ASSETS), account, quantity)


def redeem(draws: Draws) -> None:
    both, random = draws.both, draws.random
    account, asset = random.choice(both.world.owners), random.choice(ASSETS)
    have = both.state.books.holding(account, asset).available
    order = Redemption(
        account=account,
        asset=asset,
        quantity=random.choice((0, 1, have // 3, have, have + 1)),
        ref=random.randbytes(32),
        nonce=random.choice((*NONCES, *range(5, 30))),
        valid_by=both.now + random.choice((-1, 0, 1, 100)),
    )
    digest = redemption_digest(order, both.world.domain)
    signature, kind = both.world.bring(account, digest, random, draws.kind(0.85))
    both.act(
        "redeem",
        (*(getattr(order, name) for name in order.__slots__), signature),
        DEPLOYER,
        lambda: twin.redeem(both.state, order, brought=kind, now=both.now),
    )
