"""Roles, what they open, and signers of approvers: the state behind every privileged act."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

ADMIN_ROLE: Final = 0
PUBLIC_ROLE: Final = (1 << 64) - 1


@dataclass(slots=True)
class Delay:
    """A delay in seconds that may be about to change."""

    before: int = 0
    after: int = 0
    effect: int = 0

    def at(self, time: int) -> int:
        """The delay that applies at an instant."""
        return self.after if time >= self.effect else self.before

    def set(self, value: int, effect: int, time: int) -> None:
        """Let it be another from an instant on."""
        self.before, self.after, self.effect = self.at(time), value, effect


@dataclass(slots=True)
class Member:
    """Who holds a role: since when (unix seconds), and how long its acts have to wait."""

    since: int
    delay: Delay


@dataclass(slots=True)
class Approver:
    """An approver's signers with their organisations, and the operations that are over.

    `signers` has all that ever were, in the order of the creation; empty until that was read.
    """

    organisations: dict[bytes, bytes]
    signers: tuple[bytes, ...] = ()
    done: set[bytes] = field(default_factory=set)


@dataclass(slots=True)
class Authority:
    """What AccessManager and the approvers have to hold after the events so far.

    `granted` has every pair of role and account that ever was one.
    """

    manager: bytes
    members: dict[tuple[int, bytes], Member] = field(default_factory=dict)
    granted: set[tuple[int, bytes]] = field(default_factory=set)
    functions: dict[tuple[bytes, bytes], int] = field(default_factory=dict)
    admins: dict[int, int] = field(default_factory=dict)
    guardians: dict[int, int] = field(default_factory=dict)
    closed: set[bytes] = field(default_factory=set)
    target_delays: dict[bytes, Delay] = field(default_factory=dict)
    grant_delays: dict[int, Delay] = field(default_factory=dict)
    schedules: dict[bytes, int] = field(default_factory=dict)
    operation_nonces: dict[bytes, int] = field(default_factory=dict)
    approvers: dict[bytes, Approver] = field(default_factory=dict)

    def holds(self, role: int, account: bytes, time: int) -> int | None:
        """Delay in seconds under which an account holds a role; None if it does not."""
        if role == PUBLIC_ROLE:
            return 0
        member = self.members.get((role, account))
        if member is None or member.since > time:
            return None
        return member.delay.at(time)

    def may_call(self, actor: bytes, target: bytes, selector: bytes, time: int) -> int | None:
        """Delay under which an actor may call a restricted function; None if it may not."""
        if target in self.closed:
            return None
        return self.holds(self.functions.get((target, selector), ADMIN_ROLE), actor, time)

    def may_administer(self, actor: bytes, name: str, argument: object, time: int) -> int | None:
        """Delay under which an actor may call one of the manager's own functions."""
        if name in {"updateAuthority", "setTargetClosed", "setTargetFunctionRole"}:
            assert isinstance(argument, bytes), "the first argument is a target"
            return self._under_admin(actor, argument, time)
        if name in {"grantRole", "revokeRole"}:
            assert isinstance(argument, int), "the first argument is a role"
            return self.holds(self.admins.get(argument, ADMIN_ROLE), actor, time)
        return self.holds(ADMIN_ROLE, actor, time)

    def _under_admin(self, actor: bytes, target: bytes, time: int) -> int | None:
        own = self.holds(ADMIN_ROLE, actor, time)
        if own is None:
            return None
        return max(own, self.target_delays.get(target, Delay()).at(time))
