"""What each contract's storage has to hold after the events: all of it, and nothing else."""

from __future__ import annotations

from typing import Any

from settle.audit.authority_state import Approver, Authority, Delay
from settle.audit.books import Books, LiveInstruction

_State = dict[str, Any]


def settlement_state(books: Books, manager: bytes) -> _State | None:
    """State of Settlement. None where the bits of a live instruction are unknown."""
    holdings = {
        int.from_bytes(account, "big") << 32 | asset: available | held << 128
        for (account, asset), (available, held) in books.holdings.items()
    }
    open_assets: dict[int, int] = {}
    for number, asset in books.assets.items():
        if not asset.frozen:
            open_assets[number >> 8] = open_assets.get(number >> 8, 0) | 1 << (number & 255)
    nonces: dict[bytes, dict[int, int]] = {}
    for (account, index), bits in books.nonce_words.items():
        nonces.setdefault(account, {})[index] = bits
    withdrawn: dict[bytes, dict[bytes, int]] = {}
    for account, identity in books.withdrawn:
        withdrawn.setdefault(account, {})[identity] = 1
    live = {identity: _live(one) for identity, one in books.live.items()}
    if None in live.values() or any(h.module != books.settlement for h in books.holds):
        return None
    return {
        "_authority": manager,
        "_holdings": holdings,
        "_accounts": {
            account: {
                "standing": one.standing,
                "frozen": int(one.frozen),
                "class": one.class_,
                "withdrawals": one.withdrawals,
            }
            for account, one in books.accounts.items()
        },
        "_openAssets": open_assets,
        "_assets": {
            number: {
                "class": asset.class_,
                "decimals": asset.decimals,
                "frozen": int(asset.frozen),
                "code": asset.code,
                "issuer": asset.issuer,
                "totalSupply": asset.supply,
            }
            for number, asset in books.assets.items()
        },
        "_assetByCode": books.codes,
        "_nonces": {account: {"words": words} for account, words in nonces.items()},
        "_modules": {module: int(active) for module, active in books.modules.items()},
        "_assetCount": len(books.assets),
        "_live": live,
        "_withdrawn": withdrawn,
        "_recorded": dict.fromkeys(books.recorded, 1),
        "_escrows": {
            identity: {
                "openedAt": one.opened_at,
                "outcomes": one.outcomes,
                "disputed": one.disputed,
                "withdrawn": int(one.withdrawn),
            }
            for identity, one in books.escrows.items()
        },
        "_disputes": {
            identity: sum(
                at - one.opened_at << 32 * milestone for milestone, at in one.disputes.items()
            )
            for identity, one in books.escrows.items()
        },
        "_waiting": {identity: one.waiting for identity, one in books.escrows.items()},
    }


def participants_state(books: Books, manager: bytes) -> _State:
    """State of Participants."""
    return {
        "_authority": manager,
        "_participants": {
            lei: {
                "standing": one.standing,
                "class": one.class_,
                "bic": one.bic,
                "accounts": len(one.accounts),
            }
            for lei, one in books.participants.items()
        },
        "_accountsOf": {lei: one.accounts for lei, one in books.participants.items()},
        "_leiOf": books.owners,
    }


def approver_state(approver: Approver) -> _State | None:
    """State of an approver. None where its creation was not read: the order is in it."""
    if not approver.signers:
        return None
    return {
        "_organisationOf": approver.organisations,
        "_done": dict.fromkeys(approver.done, 1),
        "_signers": list(approver.signers),
    }


def manager_state(authority: Authority) -> _State:
    """State of AccessManager."""
    roles: dict[int, _State] = {}
    for (role, account), member in authority.members.items():
        members = roles.setdefault(role, {}).setdefault("members", {})
        members[account] = {"since": member.since, "delay": _delay(member.delay)}
    for role, admin in authority.admins.items():
        roles.setdefault(role, {})["admin"] = admin
    for role, guardian in authority.guardians.items():
        roles.setdefault(role, {})["guardian"] = guardian
    for role, delay in authority.grant_delays.items():
        roles.setdefault(role, {})["grantDelay"] = _delay(delay)
    targets: dict[bytes, _State] = {}
    for (target, selector), role in authority.functions.items():
        targets.setdefault(target, {}).setdefault("allowedRoles", {})[selector] = role
    for target, delay in authority.target_delays.items():
        targets.setdefault(target, {})["adminDelay"] = _delay(delay)
    for target in authority.closed:
        targets.setdefault(target, {})["closed"] = 1
    return {
        "_roles": roles,
        "_targets": targets,
        "_schedules": {
            operation: {"nonce": nonce, "timepoint": authority.schedules.get(operation, 0)}
            for operation, nonce in authority.operation_nonces.items()
        },
    }


def _live(one: LiveInstruction) -> _State | None:
    consents, reserved, committed, released = one.word()
    if released is None:
        return None
    return {
        "consents": consents,
        "reserved": reserved,
        "committed": committed,
        "released": released,
    }


def _delay(delay: Delay) -> int:
    """Pack a delay as OpenZeppelin's Time does: effect, value before, value after."""
    return delay.effect << 64 | delay.before << 32 | delay.after
