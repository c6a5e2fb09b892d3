"""What each event of AccessManager and of the approvers does, and whether the file knows it.

The file names who holds which role. Whoever is granted one besides is a finding where and when it
happens; only the deployer may hold the administration while it sets up, and no longer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from settle.audit import deployment as roles
from settle.audit.authority_state import ADMIN_ROLE, PUBLIC_ROLE, Authority, Delay, Member
from settle.audit.deployment import Deployment
from settle.audit.events import Event
from settle.audit.findings import Code, Findings
from settle.audit.published import PARTICIPANTS, SETTLEMENT, Published

OPENED: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    SETTLEMENT: {
        roles.REGISTRY: ("setStanding",),
        roles.REGISTRAR: ("createAsset",),
        roles.ISSUER: ("issue", "redeem"),
        roles.COMPLIANCE: ("freezeAccount", "freezeAsset"),
        roles.ADMIN: ("setModule",),
    },
    PARTICIPANTS: {roles.REGISTRAR: ("admit", "openAccount", "setStanding")},
}
"""Which role a privileged function is for: what the interfaces say with "Requires"."""
LEAST_GRANT_S: Final = 86_400
"""From asking for a role until it counts, whoever asks: the time to object."""
GRANT_DELAY_S: Final = 259_200
"""What every role that is revoked at once must have for its grants."""
_SETBACK_S: Final = 432_000
"""AccessManager.minSetback: until a grant delay that was changed counts."""


def expected_roles(
    deployment: Deployment, published: dict[str, Published]
) -> dict[tuple[bytes, bytes], int]:
    """Role by target and selector. What is not named is the administrator's."""
    return {
        (deployment.contracts[contract], published[contract].selector(name)): deployment.roles[role]
        for contract, by_role in OPENED.items()
        for role, names in by_role.items()
        for name in names
    }


def expected_holders(deployment: Deployment) -> dict[tuple[int, bytes], int]:
    """Delay in seconds by role and holder, as the deployment file says."""
    holders = {
        (deployment.roles[entry.role], entry.address): entry.delay_s
        for entry in deployment.approvers.values()
    }
    holders[deployment.roles[roles.REGISTRY], deployment.participants] = 0
    for entry in deployment.approvers.values():
        if entry.role == roles.ADMIN:
            holders[deployment.roles[roles.REVOKER], entry.address] = entry.delay_s
    return holders


def expected_admins(deployment: Deployment) -> dict[int, int]:
    """Which role administers which; what is not named is the administrator's."""
    revoker = deployment.roles[roles.REVOKER]
    return {deployment.roles[role]: revoker for role in roles.REVOCABLE}


class AuthorityFold:
    """Applies the events of the authority and of the approvers to `state`."""

    def __init__(
        self,
        state: Authority,
        deployment: Deployment,
        published: dict[str, Published],
        findings: Findings,
        has_code: Callable[[bytes, int], bool],
    ) -> None:
        """`has_code` tells whether an address has code after a block."""
        self._state = state
        self._deployment = deployment
        self._holders = expected_holders(deployment)
        self._functions = expected_roles(deployment, published)
        self._admins = expected_admins(deployment)
        self._findings = findings
        self._has_code = has_code
        self._set_up = False
        self.by_name: dict[str, Callable[[Event], None]] = {
            "RoleGranted": self._granted,
            "RoleRevoked": self._revoked,
            "RoleAdminChanged": self._admin_changed,
            "RoleGuardianChanged": self._guardian_changed,
            "RoleGrantDelayChanged": self._grant_delay,
            "RoleLabel": self._nothing,
            "TargetClosed": self._closed,
            "TargetFunctionRoleUpdated": self._function_role,
            "TargetAdminDelayUpdated": self._target_delay,
            "OperationScheduled": self._scheduled,
            "OperationExecuted": self._unscheduled,
            "OperationCanceled": self._unscheduled,
            "Approved": self._approved,
            "Revoked": self._operation_revoked,
            "SignerRemoved": self._signer_removed,
            "EIP712DomainChanged": self._nothing,
        }

    def in_use(self, event: Event) -> None:
        """Note that the market is at work: the deployer's own right must have ended before."""
        if self._set_up:
            return
        self._set_up = True
        if (ADMIN_ROLE, self._deployment.deployer) in self._state.members:
            self._findings.tell(
                event.place,
                Code.ROLE_PLAIN_KEY,
                "the deployer is administrator still while the contracts are in use",
                account=self._deployment.deployer,
            )

    # ------------------------------------------------------------------------ roles

    def _granted(self, event: Event) -> None:
        values, state = event.arguments, self._state
        role, account, since = values["roleId"], values["account"], values["since"]
        member = state.members.get((role, account))
        if values["newMember"] != (member is None):
            self._impossible(event, f"a grant of role {role}", account)
        state.granted.add((role, account))
        time = event.place.time
        if member is None:
            counts = time + state.grant_delays.get(role, Delay()).at(time)
            delay = Delay(after=values["delay"])
            state.members[role, account] = Member(since, delay)
        else:
            counts = time + max(0, member.delay.at(time) - values["delay"])
            member.delay.set(values["delay"], since, time)
        if since != counts:
            self._impossible(event, f"from when a grant of role {role} counts", account)
        self._judge_holder(event, role, account, values["delay"])

    def _judge_holder(self, event: Event, role: int, account: bytes, delay: int) -> None:
        expected = self._holders.get((role, account))
        fact = f"grant of role {role}"
        if expected is None:
            if (role, account) == (ADMIN_ROLE, self._deployment.deployer) and not self._set_up:
                return
            is_contract = self._has_code(account, event.place.block)
            code = Code.ROLE_HOLDER if is_contract else Code.ROLE_PLAIN_KEY
            self._findings.tell(event.place, code, fact, account=account)
        elif delay != expected and not self._waits_first(role, delay):
            self._findings.tell(
                event.place,
                Code.ROLE_UNEXPECTED,
                f"delay in seconds at a {fact}",
                account=account,
                stated=delay,
                computed=expected,
            )

    def _waits_first(self, role: int, delay: int) -> bool:
        """Whether a revoker gets a delay for as long as grant delays do not count yet."""
        revoker = role == self._deployment.roles[roles.REVOKER]
        return revoker and delay == _SETBACK_S and not self._set_up

    def _revoked(self, event: Event) -> None:
        key = (event.arguments["roleId"], event.arguments["account"])
        if self._state.members.pop(key, None) is None:
            self._impossible(event, f"the end of role {key[0]}", key[1])

    def _admin_changed(self, event: Event) -> None:
        role, admin = event.arguments["roleId"], event.arguments["admin"]
        self._state.admins[role] = admin
        expected = self._admins.get(role, ADMIN_ROLE)
        self._judge_power(event, f"administrator of role {role}", admin, expected)

    def _guardian_changed(self, event: Event) -> None:
        role, guardian = event.arguments["roleId"], event.arguments["guardian"]
        self._state.guardians[role] = guardian
        self._judge_power(event, f"guardian of role {role}", guardian, ADMIN_ROLE)

    def _judge_power(self, event: Event, fact: str, role: int, expected: int) -> None:
        """Let only those have power over roles who should."""
        if role != expected:
            code = Code.ROLE_PUBLIC if role == PUBLIC_ROLE else Code.ROLE_UNEXPECTED
            self._findings.tell(event.place, code, fact, stated=role, computed=expected)

    # ------------------------------------------------------------------------ targets

    def _closed(self, event: Event) -> None:
        target = event.arguments["target"]
        (self._state.closed.add if event.arguments["closed"] else self._state.closed.discard)(
            target
        )

    def _function_role(self, event: Event) -> None:
        values = event.arguments
        target, selector, role = values["target"], values["selector"], values["roleId"]
        self._state.functions[target, selector] = role
        expected = self._functions.get((target, selector), ADMIN_ROLE)
        if role != expected:
            self._findings.tell(
                event.place,
                Code.ROLE_PUBLIC if role == PUBLIC_ROLE else Code.ROLE_UNEXPECTED,
                f"role that opens function 0x{selector.hex()}",
                account=target,
                stated=role,
                computed=expected,
            )

    def _target_delay(self, event: Event) -> None:
        values = event.arguments
        delay = self._state.target_delays.setdefault(values["target"], Delay())
        delay.set(values["delay"], values["since"], event.place.time)

    def _grant_delay(self, event: Event) -> None:
        values = event.arguments
        role, time = values["roleId"], event.place.time
        delay = self._state.grant_delays.setdefault(role, Delay())
        if values["since"] != time + max(_SETBACK_S, delay.at(time) - values["delay"]):
            self._impossible(event, f"from when a grant delay of role {role} counts", event.address)
        delay.set(values["delay"], values["since"], time)
        if role in self._admins and values["delay"] != GRANT_DELAY_S:
            self._findings.tell(
                event.place,
                Code.ROLE_DELAY,
                f"seconds until a grant of role {role} counts",
                account=event.address,
                stated=values["delay"],
                computed=GRANT_DELAY_S,
            )

    def _scheduled(self, event: Event) -> None:
        operation, nonce = event.arguments["operationId"], event.arguments["nonce"]
        if nonce != self._state.operation_nonces.get(operation, 0) + 1:
            self._impossible(event, f"number {nonce} of an operation", event.arguments["caller"])
        self._state.operation_nonces[operation] = nonce
        self._state.schedules[operation] = event.arguments["schedule"]

    def _unscheduled(self, event: Event) -> None:
        self._state.schedules.pop(event.arguments["operationId"], None)

    # ------------------------------------------------------------------------ approvers

    def _approved(self, event: Event) -> None:
        self._end_operation(event, "approved")

    def _operation_revoked(self, event: Event) -> None:
        self._end_operation(event, "revoked")

    def _end_operation(self, event: Event, how: str) -> None:
        done = self._state.approvers[event.address].done
        operation = event.arguments["operation"]
        if operation in done:
            self._findings.tell(
                event.place,
                Code.APPROVAL,
                f"an operation {how} that was over",
                account=event.address,
                stated=operation,
            )
        done.add(operation)

    def _signer_removed(self, event: Event) -> None:
        signer = event.arguments["signer"]
        organisations = self._state.approvers[event.address].organisations
        if organisations.pop(signer, None) != event.arguments["organisation"]:
            self._impossible(event, "the end of a signer", signer)

    def _nothing(self, event: Event) -> None:
        """Leave everything as it was."""

    def _impossible(self, event: Event, fact: str, account: bytes) -> None:
        self._findings.tell(
            event.place, Code.IMPOSSIBLE, f"{fact}, after what was before", account=account
        )
