"""Explains what needs a role: registry, assets, supply, freezes, modules. And what modules do."""

from __future__ import annotations

from collections.abc import Callable

from settle.audit import books as state
from settle.audit.abi import Value
from settle.audit.calls import Call
from settle.audit.findings import Code
from settle.audit.stage import Stage

_Arguments = dict[str, Value]


class Privileged:
    """Handlers by name of the function, of the ledger and of the registry."""

    def __init__(self, stage: Stage) -> None:
        """Work on `stage`."""
        self._stage = stage
        self.ledger: dict[str, Callable[[Call, _Arguments], None]] = {
            "setStanding": self._set_standing,
            "freezeAccount": self._freeze_account,
            "freezeAsset": self._freeze_asset,
            "createAsset": self._create_asset,
            "setModule": self._set_module,
            "issue": self._issue,
            "redeem": self._redeem,
            "placeHold": self._place_hold,
            "releaseHold": self._release_hold,
            "post": self._post,
        }
        self.registry: dict[str, Callable[[Call, _Arguments], None]] = {
            "admit": self._admit,
            "openAccount": self._open_account,
            "setStanding": self._set_participant_standing,
        }

    def _require(self, call: Call) -> None:
        """Check the caller's role for the function that the call names."""
        stage = self._stage
        delay = stage.authority.may_call(call.caller, call.target, call.data[:4], call.place.time)
        function = stage.published[stage.kinds[call.target]].functions[call.data[:4]]
        stage.require(call, delay, f"{function.name} of {stage.kinds[call.target]}")

    def _take(self, call: Call, name: str, **expected: Value) -> None:
        self._stage.take(call, self._stage.deployment.settlement, name, **expected)

    # ------------------------------------------------------------------------ ledger

    def _set_standing(self, call: Call, arguments: _Arguments) -> None:
        self._require(call)
        self._take(call, "StandingSet", **arguments)

    def _freeze_account(self, call: Call, arguments: _Arguments) -> None:
        self._require(call)
        self._take(call, "AccountFrozen", **arguments)

    def _freeze_asset(self, call: Call, arguments: _Arguments) -> None:
        self._require(call)
        self._take(call, "AssetFrozen", **arguments)

    def _create_asset(self, call: Call, arguments: _Arguments) -> None:
        self._require(call)
        expected = {name.rstrip("_"): value for name, value in arguments.items()}
        self._take(call, "AssetCreated", **expected)

    def _set_module(self, call: Call, arguments: _Arguments) -> None:
        self._require(call)
        self._take(call, "ModuleSet", **arguments)

    def _issue(self, call: Call, arguments: _Arguments) -> None:
        self._require(call)
        self._take(call, "Issued", **arguments)

    def _redeem(self, call: Call, arguments: _Arguments) -> None:
        stage = self._stage
        self._require(call)
        signature, valid_by = arguments.pop("signature"), arguments.pop("validBy")
        if call.place.time >= valid_by:
            fact = f"redeemed by a signature until {valid_by}"
            stage.findings.tell(call.place, Code.WINDOW, fact, account=arguments["account"])
        digest = stage.digests.redemption(
            arguments["account"],
            arguments["asset"],
            arguments["quantity"],
            arguments["ref"],
            arguments["nonce"],
            valid_by,
        )
        stage.consents.signature(call, digest, arguments["account"], signature, arguments["ref"])
        self._take(call, "Redeemed", **arguments)

    # ------------------------------------------------------------------------ modules

    def _place_hold(self, call: Call, arguments: _Arguments) -> None:
        values = self._hold(arguments["hold"])
        self._module(call, values["module"])
        self._take(call, "HoldPlaced", **values)

    def _release_hold(self, call: Call, arguments: _Arguments) -> None:
        values = self._hold(arguments["hold"])
        if call.caller != values["module"] and call.place.time < values["deadline"]:
            self._tell_module(call, "a hold of another, released before its deadline")
        self._take(call, "HoldEnded", **values, executed=0)

    def _post(self, call: Call, arguments: _Arguments) -> None:
        self._module(call, call.caller)
        for hold in arguments["executed"]:
            self._take(call, "HoldEnded", **self._hold(hold), executed=1)
        for asset, account, delta in arguments["moves"]:
            self._take(
                call,
                "Moved",
                module=call.caller,
                id=arguments["id"],
                asset=asset,
                account=account,
                delta=delta,
            )

    def _module(self, call: Call, module: bytes) -> None:
        if call.caller != module or not self._stage.books.modules.get(call.caller):
            self._tell_module(call, "value moved by one that is no active module")

    def _tell_module(self, call: Call, fact: str) -> None:
        self._stage.findings.tell(call.place, Code.NOT_AUTHORISED, fact, account=call.caller)

    @staticmethod
    def _hold(value: Value) -> _Arguments:
        return state.Hold(*value).arguments()

    # ------------------------------------------------------------------------ registry

    def _admit(self, call: Call, arguments: _Arguments) -> None:
        self._require(call)
        accounts = arguments.pop("accounts")
        self._stage.take(call, call.target, "ParticipantAdmitted", **arguments)
        for account in accounts:
            self._opened(call, arguments["lei"], account)

    def _open_account(self, call: Call, arguments: _Arguments) -> None:
        self._require(call)
        self._opened(call, arguments["lei"], arguments["account"])

    def _opened(self, call: Call, lei: bytes, account: bytes) -> None:
        self._stage.take(call, call.target, "AccountOpened", lei=lei, account=account)
        self._written(call, lei, account)

    def _set_participant_standing(self, call: Call, arguments: _Arguments) -> None:
        self._require(call)
        self._stage.take(call, call.target, "ParticipantStandingSet", **arguments)
        participant = self._stage.books.participants.get(arguments["lei"])
        for account in () if participant is None else participant.accounts:
            self._written(call, arguments["lei"], account)

    def _written(self, call: Call, lei: bytes, account: bytes) -> None:
        """Expect the standing that the registry writes into the ledger, under its own role."""
        stage, place = self._stage, call.place
        selector = stage.published["Settlement"].selector("setStanding")
        settlement = stage.deployment.settlement
        if stage.authority.may_call(call.target, settlement, selector, place.time) != 0:
            fact = "a standing written by the registry"
            stage.findings.tell(place, Code.NOT_AUTHORISED, fact, account=call.target)
        participant = stage.books.participants.get(lei)
        if participant is not None:
            self._take(
                call,
                "StandingSet",
                account=account,
                standing=participant.standing,
                **{"class": participant.class_},
            )
