"""Explains calls of AccessManager and of the approvers; what they pass on is explained in turn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from settle.audit import typed_data
from settle.audit.abi import Value
from settle.audit.authority_state import ADMIN_ROLE
from settle.audit.calls import Call
from settle.audit.findings import Code, Place
from settle.audit.signatures import signer_of
from settle.audit.stage import Stage, operation_id

LONGEST_VALIDITY_S: Final = 30 * 86_400
_Arguments = dict[str, Value]

_EVENTS: Final[dict[str, tuple[str, dict[str, str]]]] = {
    "labelRole": ("RoleLabel", {"roleId": "roleId", "label": "label"}),
    "grantRole": (
        "RoleGranted",
        {"roleId": "roleId", "account": "account", "executionDelay": "delay"},
    ),
    "revokeRole": ("RoleRevoked", {"roleId": "roleId", "account": "account"}),
    "renounceRole": ("RoleRevoked", {"roleId": "roleId", "callerConfirmation": "account"}),
    "setRoleAdmin": ("RoleAdminChanged", {"roleId": "roleId", "admin": "admin"}),
    "setRoleGuardian": ("RoleGuardianChanged", {"roleId": "roleId", "guardian": "guardian"}),
    "setGrantDelay": ("RoleGrantDelayChanged", {"roleId": "roleId", "newDelay": "delay"}),
    "setTargetAdminDelay": (
        "TargetAdminDelayUpdated",
        {"target": "target", "newDelay": "delay"},
    ),
    "setTargetClosed": ("TargetClosed", {"target": "target", "closed": "closed"}),
}
"""Function -> its event, and which argument is which."""
_MAY_DO_NOTHING: Final = frozenset(("revokeRole", "renounceRole"))


class Administering:
    """Handlers by name of the function, of the manager and of the approvers."""

    def __init__(self, stage: Stage, explain: Callable[[Call], None]) -> None:
        """Work on `stage`; `explain` takes what is passed on."""
        self._stage = stage
        self._explain = explain
        self.approver: dict[str, Callable[[Call, _Arguments], None]] = {
            "execute": self._approved,
            "revoke": self._revoke,
            "remove": self._remove,
        }
        self.manager: dict[str, Callable[[Call, _Arguments], None]] = {
            "execute": self._execute,
            "multicall": self._multicall,
            "schedule": self._schedule,
            "cancel": self._cancel,
            "setTargetFunctionRole": self._set_functions,
            "updateAuthority": self._update_authority,
        }
        for name in _EVENTS:
            self.manager[name] = self._administer

    # ------------------------------------------------------------------------ approvers

    def _approved(self, call: Call, arguments: _Arguments) -> None:
        """Verify the two signatures of two organisations, then explain what they approved."""
        stage, time = self._stage, call.place.time
        target, data, reason, evidence, nonce, valid_by = arguments["operation"]
        digest = typed_data.operation_digest(
            chain_id=stage.deployment.chain_id,
            approver=call.target,
            target=target,
            data=data,
            reason=reason,
            evidence=evidence,
            nonce=nonce,
            valid_by=valid_by,
        )
        organisations = stage.authority.approvers[call.target].organisations
        signers = [signer_of(digest, arguments[name]) or b"" for name in ("first", "second")]
        stage.consents.signatures += len(signers)
        theirs = {organisations.get(signer) for signer in signers}
        if None in theirs or len(theirs) != len(signers):
            self._tell(call, Code.APPROVAL, "signers of an operation", tuple(signers), "two of two")
        if not time < valid_by <= time + LONGEST_VALIDITY_S:
            self._tell(call, Code.APPROVAL, "end of an operation's validity", valid_by, time)
        stage.take(
            call,
            call.target,
            "Approved",
            operation=digest,
            target=target,
            selector=data[:4].ljust(4, b"\0"),
            reason=reason,
            evidence=evidence,
            first=signers[0],
            second=signers[1],
        )
        if target in stage.kinds:
            self._explain(Call(target, data, call.target, call.place))

    def _revoke(self, call: Call, arguments: _Arguments) -> None:
        organisations = self._stage.authority.approvers[call.target].organisations
        if call.caller not in organisations:
            self._tell(call, Code.NOT_AUTHORISED, "who revoked", call.caller, "a signer")
        self._stage.take(
            call, call.target, "Revoked", operation=arguments["operation"], by=call.caller
        )

    def _remove(self, call: Call, arguments: _Arguments) -> None:
        organisations = self._stage.authority.approvers[call.target].organisations
        signer = arguments["signer"]
        organisation = organisations.get(signer)
        if organisation is None or organisations.get(call.caller) != organisation:
            self._tell(call, Code.NOT_AUTHORISED, "who removed", call.caller, "of one organisation")
        self._stage.take(call, call.target, "SignerRemoved", signer=signer, by=call.caller)

    # ------------------------------------------------------------------------ manager

    def _administer(self, call: Call, arguments: _Arguments) -> None:
        stage = self._stage
        name = stage.published[stage.kinds[call.target]].functions[call.data[:4]].name
        event, meaning = _EVENTS[name]
        if name == "renounceRole":
            if arguments["callerConfirmation"] != call.caller:
                self._tell(call, Code.NOT_AUTHORISED, "who renounced", call.caller, "the holder")
        else:
            self._require(call, name, next(iter(arguments.values())))
        coming = stage.stream[0].name if stage.stream else ""
        if name in _MAY_DO_NOTHING and coming != event:
            return
        expected = {meaning[key]: value for key, value in arguments.items()}
        stage.take(call, call.target, event, **expected)

    def _set_functions(self, call: Call, arguments: _Arguments) -> None:
        self._require(call, "setTargetFunctionRole", arguments["target"])
        for selector in arguments["selectors"]:
            self._stage.take(
                call,
                call.target,
                "TargetFunctionRoleUpdated",
                target=arguments["target"],
                selector=selector,
                roleId=arguments["roleId"],
            )

    def _update_authority(self, call: Call, arguments: _Arguments) -> None:
        target = arguments["target"]
        self._require(call, "updateAuthority", target)
        if target in self._stage.kinds:
            self._stage.take(call, target, "AuthorityUpdated", authority=arguments["newAuthority"])

    def _multicall(self, call: Call, arguments: _Arguments) -> None:
        for data in arguments["data"]:
            self._explain(call._replace(data=data))

    def _schedule(self, call: Call, arguments: _Arguments) -> None:
        stage, time = self._stage, call.place.time
        target, data = arguments["target"], arguments["data"]
        delay = self._delay(call.caller, target, data, time)
        if not delay:
            self._tell(call, Code.NOT_AUTHORISED, "who scheduled", call.caller, "a holder")
        event = stage.take(
            call,
            call.target,
            "OperationScheduled",
            operationId=operation_id(call.caller, target, data),
            caller=call.caller,
            target=target,
            data=data,
        )
        if event is not None and event.arguments["schedule"] < time + (delay or 0):
            due = event.arguments["schedule"]
            self._tell(call, Code.NOT_AUTHORISED, "when it is due", due, time + (delay or 0))

    def _execute(self, call: Call, arguments: _Arguments) -> None:
        """Explain what the manager calls for one who may, or who scheduled it in time."""
        stage = self._stage
        target, data = arguments["target"], arguments["data"]
        delay = self._delay(call.caller, target, data, call.place.time)
        asked = Call(target, data, call.caller, call.place, call.granted)
        stage.require(asked, delay, "an operation through the manager")
        if target in stage.kinds:
            self._explain(Call(target, data, call.target, call.place, granted=True))

    def _cancel(self, call: Call, arguments: _Arguments) -> None:
        stage = self._stage
        owner = arguments["caller"]
        if call.caller != owner:
            role = stage.authority.functions.get(
                (arguments["target"], arguments["data"][:4]), ADMIN_ROLE
            )
            time, guardian = call.place.time, stage.authority.guardians.get(role, ADMIN_ROLE)
            if all(stage.authority.holds(r, call.caller, time) is None for r in (0, guardian)):
                self._tell(call, Code.NOT_AUTHORISED, "who cancelled", call.caller, owner)
        stage.take(
            call,
            call.target,
            "OperationCanceled",
            operationId=operation_id(owner, arguments["target"], arguments["data"]),
        )

    def _delay(self, actor: bytes, target: bytes, data: bytes, time: int) -> int | None:
        """Delay under which an actor may have this call made; None if it may not."""
        stage = self._stage
        if target != stage.deployment.manager:
            return stage.authority.may_call(actor, target, data[:4], time)
        inner = stage.arguments(Call(target, data, actor, Place(0, time)))
        if inner is None:
            return None
        name, arguments = inner
        return stage.authority.may_administer(
            actor, name, next(iter(arguments.values()), None), time
        )

    def _require(self, call: Call, name: str, argument: Value) -> None:
        stage = self._stage
        delay = stage.authority.may_administer(call.caller, name, argument, call.place.time)
        stage.require(call, delay, f"{name} of the manager")

    def _tell(self, call: Call, code: Code, fact: str, stated: object, computed: object) -> None:
        self._stage.findings.tell(
            call.place, code, fact, account=call.target, stated=stated, computed=computed
        )
