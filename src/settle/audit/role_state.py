"""Compares the authority, after one block, with its events and with the deployment file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from settle.audit import deployment as roles
from settle.audit.abi import left_word, word
from settle.audit.authority_state import ADMIN_ROLE, PUBLIC_ROLE, Authority, Delay
from settle.audit.contract_state import Question, StateReader
from settle.audit.deployment import Deployment
from settle.audit.findings import Code, Findings
from settle.audit.fold_authority import (
    GRANT_DELAY_S,
    LEAST_GRANT_S,
    expected_admins,
    expected_holders,
    expected_roles,
)
from settle.audit.published import AFFIRMATION, ESCROW, PARTICIPANTS, SETTLEMENT, Published

_LEAST_ORGANISATIONS: Final = 2


class RoleCheck:
    """No plain key holds a role; every function is opened as it should be; approvers are two."""

    def __init__(
        self,
        reader: StateReader,
        deployment: Deployment,
        contracts: dict[str, Published],
        state: Authority,
        findings: Findings,
    ) -> None:
        """Compare what `reader` answers with `state` and with the file."""
        self._reader = reader
        self._deployment = deployment
        self._manager = deployment.manager
        self._contracts = contracts
        self._state = state
        self._findings = findings

    def run(self, time: int) -> None:
        """Compare everything; `time` is that of the block, unix seconds."""
        self._holders(time)
        self._functions()
        self._powers()
        self._grants(time)
        self._approvers()
        self._authorities()

    def _holders(self, time: int) -> None:
        expected = expected_holders(self._deployment)
        pairs = sorted(self._state.granted | set(expected))
        answers = self._ask("hasRole", [(word(role), word(who)) for role, who in pairs])
        for (role, who), answer in zip(pairs, answers, strict=True):
            if answer is None:
                continue
            held = answer[1] if answer[0] else None
            fact = f"delay in seconds under which role {role} is held"
            self._differs(Code.ROLE_STATE, fact, who, held, self._state.holds(role, who, time))
            wanted = expected.get((role, who))
            if wanted is None and held is not None:
                plain = self._reader.is_plain_key(who)
                code = Code.ROLE_PLAIN_KEY if plain else Code.ROLE_HOLDER
                self._differs(code, f"holder of role {role}", who, who, "nobody")
            elif wanted is not None:
                member = self._state.members.get((role, who))
                last = held if held is None or member is None else member.delay.after
                self._differs(Code.ROLE_UNEXPECTED, fact, who, last, wanted)
        for name, entry in self._deployment.approvers.items():
            if entry.role == roles.ADMIN and not entry.delay_s:
                self._findings.tell(
                    self._reader.place, Code.ROLE_DELAY, name, account=entry.address
                )

    def _functions(self) -> None:
        expected = expected_roles(self._deployment, self._contracts)
        keys = sorted(set(expected) | set(self._state.functions))
        arguments = [(word(target), left_word(selector)) for target, selector in keys]
        answers = self._ask("getTargetFunctionRole", arguments)
        for (target, selector), answer in zip(keys, answers, strict=True):
            if answer is None:
                continue
            fact = f"role that opens function 0x{selector.hex()}"
            folded = self._state.functions.get((target, selector), ADMIN_ROLE)
            self._differs(Code.ROLE_STATE, fact, target, answer[0], folded)
            code = Code.ROLE_PUBLIC if answer[0] == PUBLIC_ROLE else Code.ROLE_UNEXPECTED
            wanted = expected.get((target, selector), ADMIN_ROLE)
            self._differs(code, fact, target, answer[0], wanted)

    def _powers(self) -> None:
        """Ask who administers and guards each role, and which targets are closed."""
        expected = {"getRoleAdmin": expected_admins(self._deployment), "getRoleGuardian": {}}
        numbers = sorted(
            {*self._deployment.roles.values(), *self._state.admins, *self._state.guardians}
        )
        for view, folded in (
            ("getRoleAdmin", self._state.admins),
            ("getRoleGuardian", self._state.guardians),
        ):
            answers = self._ask(view, [(word(number),) for number in numbers])
            for number, answer in zip(numbers, answers, strict=True):
                if answer is not None:
                    fact = f"{view} of role {number}"
                    computed = folded.get(number, ADMIN_ROLE)
                    self._differs(Code.ROLE_STATE, fact, self._manager, answer[0], computed)
                    wanted = expected[view].get(number, ADMIN_ROLE)
                    self._differs(Code.ROLE_UNEXPECTED, fact, self._manager, answer[0], wanted)
        targets = sorted(self._deployment.kinds())
        answers = self._ask("isTargetClosed", [(word(target),) for target in targets])
        for target, answer in zip(targets, answers, strict=True):
            if answer is not None:
                closed = int(target in self._state.closed)
                self._differs(Code.ROLE_STATE, "isTargetClosed", target, answer[0], closed)

    def _grants(self, time: int) -> None:
        """Ask that nobody who may take roles away gives one within a day, now or later."""
        revoker = self._deployment.roles[roles.REVOKER]
        numbers = sorted(expected_admins(self._deployment))
        answers = self._ask("getRoleGrantDelay", [(word(number),) for number in numbers])
        for number, answer in zip(numbers, answers, strict=True):
            if answer is None:
                continue
            folded = self._state.grant_delays.get(number, Delay())
            fact = f"seconds until a grant of role {number} counts"
            self._differs(Code.ROLE_STATE, fact, self._manager, answer[0], folded.at(time))
            self._differs(Code.ROLE_DELAY, fact, self._manager, folded.after, GRANT_DELAY_S)
            for role, who in sorted(self._state.members):
                own = self._state.holds(role, who, time)
                if role == revoker and own is not None and own + folded.at(time) < LEAST_GRANT_S:
                    self._findings.tell(self._reader.place, Code.ROLE_DELAY, fact, account=who)

    def _approvers(self) -> None:
        for name, entry in self._deployment.approvers.items():
            left = self._state.approvers[entry.address].organisations
            questions: list[Question] = [
                (entry.address, "organisationOf", (word(signer),)) for signer in entry.signers
            ]
            for signer, answer in zip(entry.signers, self._reader.ask(questions), strict=True):
                if answer is not None:
                    computed = left.get(signer, bytes(32))
                    fact = f"organisation of a signer of {name}"
                    self._differs(Code.APPROVER_SIGNERS, fact, signer, answer[0], computed)
            for answer in self._reader.ask([(entry.address, "signers", ())]):
                if answer is not None and set(answer[0]) != set(entry.signers):
                    self._differs(
                        *(Code.APPROVER_SIGNERS, f"signers of {name}", entry.address),
                        tuple(sorted(answer[0])),
                        tuple(sorted(entry.signers)),
                    )
            if len(set(left.values())) < _LEAST_ORGANISATIONS:
                self._findings.tell(
                    self._reader.place,
                    Code.APPROVER_ORGANISATIONS,
                    f"signers left in {name}",
                    account=entry.address,
                    stated=len(set(left.values())),
                    computed="two or more",
                )

    def _authorities(self) -> None:
        for name in (AFFIRMATION, ESCROW, SETTLEMENT, PARTICIPANTS):
            address = self._deployment.contracts[name]
            for answer in self._reader.ask([(address, "authority", ())]):
                if answer is not None:
                    fact = f"authority of {name}"
                    self._differs(Code.AUTHORITY, fact, address, answer[0], self._manager)

    def _ask(
        self, view: str, arguments: Sequence[tuple[bytes, ...]]
    ) -> list[tuple[object, ...] | None]:
        return list(self._reader.ask((self._manager, view, words) for words in arguments))

    def _differs(
        self, code: Code, fact: str, account: bytes, stated: object, computed: object
    ) -> None:
        if stated != computed:
            self._findings.tell(
                self._reader.place,
                code,
                fact,
                account=account,
                stated="no right" if stated is None else stated,
                computed="no right" if computed is None else computed,
            )
