"""Terms as people write them, in TOML or JSON, compiled to the terms that are signed.

Names stand for accounts and milestones, ISINs and currency codes for assets, decimal text for
quantities, ISO 8601 or a duration after `open_by` for instants. Every fault is told with its line
and its path.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from settle.domain.errors import InvalidInput
from settle.domain.escrow.conditions import Condition
from settle.domain.escrow.document import Document, Node
from settle.domain.escrow.named_instructions import NamedInstruction, instructions_at
from settle.domain.escrow.program import write_program
from settle.domain.escrow.reading_conditions import Names, condition_at
from settle.domain.escrow.reading_locks import HashLock, hash_locks_at
from settle.domain.escrow.reading_values import duration_at, instant_at, word_at
from settle.domain.escrow.register import AssetEntry, Register
from settle.domain.escrow.terms import (
    MAX_ARBITERS,
    MAX_ESCROW_LINES,
    MAX_MILESTONES,
    EscrowLine,
    EscrowTerms,
)
from settle.domain.escrow.wording import with_text
from settle.domain.ids import ZERO_ADDRESS, ZERO_WORD, Address, AssetId, account_address
from settle.domain.instruction import UINT32_MAX
from settle.domain.keccak import keccak256
from settle.domain.money import parse_quantity
from settle.domain.twin_ledger import MAX_DECIMALS

_REQUIRED: Final = ("reference", "open_by", "accounts", "assets", "milestones")
_OPTIONAL: Final = ("salt", "panel", "hash_locks", "instructions")
_LINE_KEYS: Final = ("asset", "from", "to", "quantity", "if_met", "by_default")
_MOST_ACCOUNTS: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenTerms:
    """What a document says: the terms with the hash of their text, and what only people need.

    `labels` has the writer's name of each account, `milestones` those of the milestones; `locks`
    is what the writer states of the other chain behind each hash lock, `instructions` has the terms
    of those that conditions name.
    """

    terms: EscrowTerms
    register: Register
    labels: Mapping[Address, str]
    milestones: tuple[str, ...]
    locks: tuple[HashLock, ...]
    instructions: tuple[NamedInstruction, ...]
    reference: str


def read_terms(
    text: str,
    *,
    is_json: bool = False,
    open_by: int | None = None,
    salt: bytes | None = None,
    register: Register | None = None,
) -> WrittenTerms:
    """Read and compile a document.

    `open_by` (unix seconds) and `salt` take the place of what the document says. With a `register`
    of the chain, the document's assets must be those of it. Whether the terms are well-formed and
    end as their writer wants is for `check` to say.
    Raises: InvalidInput with the line and the path of the first thing that is wrong.
    """
    root = Document(text, is_json=is_json).root
    return _Reader(root, open_by, salt, register).read()


class _Reader:
    def __init__(
        self, root: Node, open_by: int | None, salt: bytes | None, register: Register | None
    ) -> None:
        self._root = root.table(_REQUIRED, _OPTIONAL)
        self._open_by = instant_at(root.at("open_by"), None) if open_by is None else open_by
        written = root.get("salt")
        self._salt = salt or (ZERO_WORD if written is None else word_at(written))
        self._accounts = self._read_accounts()
        self._register = self._read_register(register)
        self._milestones: dict[str, int] = {}

    def read(self) -> WrittenTerms:
        lines: list[EscrowLine] = []
        deadlines: list[int] = []
        conditions: list[Condition] = []
        milestones = self._root.at("milestones").elements("milestones", most=MAX_MILESTONES)
        for number, node in enumerate(milestones):
            node.table(("name", "deadline", "when", "lines"))
            names = Names(
                account=self._account, milestones=dict(self._milestones), open_by=self._open_by
            )
            conditions.append(condition_at(node.at("when"), names))
            deadlines.append(instant_at(node.at("deadline"), self._open_by))
            lines += [
                self._line(line, number)
                for line in node.at("lines").elements("lines", most=MAX_ESCROW_LINES)
            ]
            self._name(node.at("name"), number)
        reference = self._root.at("reference").text("the parties' reference")
        terms = EscrowTerms(
            open_by=self._open_by,
            lines=tuple(lines),
            deadlines=tuple(deadlines),
            program=write_program(conditions),
            ref=keccak256(self._salt + reference.encode()),
            salt=self._salt,
        )
        return WrittenTerms(
            terms=with_text(self._with_panel(terms), self._register),
            register=self._register,
            labels={account: label for label, account in self._accounts.items()},
            milestones=tuple(self._milestones),
            locks=hash_locks_at(self._root.get("hash_locks"), self._account, self._open_by),
            instructions=instructions_at(self._root.get("instructions")),
            reference=reference,
        )

    # -------------------------------------------------------------------------- names

    def _read_accounts(self) -> dict[str, Address]:
        node = self._root.at("accounts")
        if not isinstance(node.value, dict) or not 0 < len(node.value) <= _MOST_ACCOUNTS:
            raise node.fault("accounts_form", "expected a table: name = address, at least two")
        found: dict[str, Address] = {}
        for label in node.value:
            address = _address_at(node.at(label))
            if address in found.values():
                raise node.at(label).fault("account_twice", "this address has a name already")
            found[label] = address
        return found

    def _account(self, node: Node) -> Address:
        label = node.text("the name of an account")
        if label in self._accounts:
            return self._accounts[label]
        if label.startswith("0x"):
            return _address_at(node)
        raise node.fault("account_unknown", f"there is no account {label!r} under accounts")

    def _name(self, node: Node, number: int) -> None:
        name = node.text("a name")
        if not name or name in self._milestones:
            raise node.fault("milestone_name", "every milestone has a name of its own")
        self._milestones[name] = number

    def _read_register(self, chain: Register | None) -> Register:
        node = self._root.at("assets")
        if not isinstance(node.value, dict) or not node.value:
            text = "expected a table: code = { number = ..., decimals = ... }"
            raise node.fault("assets_form", text)
        entries = []
        for code in node.value:
            asset = node.at(code).table(("number", "decimals"))
            entry = AssetEntry(
                number=AssetId(asset.at("number").number("the asset's number", 1, UINT32_MAX)),
                code=code,
                decimals=asset.at("decimals").number("decimals", 0, MAX_DECIMALS),
            )
            if chain is not None and chain.by_code.get(code) != entry:
                text = f"the chain's register has no asset {code} of this number and decimals"
                raise asset.fault("asset_differs", text)
            entries.append(entry)
        try:
            return Register(entries)
        except InvalidInput as error:
            raise node.fault(error.code, error.message) from error

    # -------------------------------------------------------------------------- lines

    def _line(self, node: Node, milestone: int) -> EscrowLine:
        node.table(_LINE_KEYS, ("if_unruled",))
        code = node.at("asset").text("an asset's code")
        if code not in self._register.by_code:
            text = f"there is no asset {code!r} under assets"
            raise node.at("asset").fault("asset_unknown", text)
        asset = self._register.by_code[code]
        depositor, beneficiary = self._account(node.at("from")), self._account(node.at("to"))
        if depositor == beneficiary:
            raise node.at("to").fault("line_to_itself", "a payment goes from one to another")
        quantity = _quantity_at(node.at("quantity"), asset.decimals)
        if not quantity:
            raise node.at("quantity").fault("quantity_zero", "a payment is of more than nothing")
        if_met = _share_at(node.at("if_met"), asset.decimals, quantity)
        by_default = _share_at(node.at("by_default"), asset.decimals, quantity)
        unruled = node.get("if_unruled")
        if unruled is None and "panel" in self._root.value:
            text = "with a panel each line says what it pays if nobody rules"
            raise node.fault("missing_key", f"the member if_unruled is missing: {text}")
        return EscrowLine(
            milestone=milestone,
            asset=asset.number,
            depositor=depositor,
            beneficiary=beneficiary,
            quantity=quantity,
            if_met=if_met,
            by_default=by_default,
            if_unruled=by_default
            if unruled is None
            else _share_at(unruled, asset.decimals, quantity),
        )

    def _with_panel(self, terms: EscrowTerms) -> EscrowTerms:
        node = self._root.get("panel")
        if node is None:
            return terms
        node.table(("arbiters", "quorum", "answer_time"), ("fallback", "fallback_time"))
        listed = node.at("arbiters").elements("arbiters", most=MAX_ARBITERS)
        arbiters = tuple(self._account(arbiter) for arbiter in listed)
        least = len(arbiters) // 2 + 1
        fallback, time = node.get("fallback"), node.get("fallback_time")
        if (fallback is None) != (time is None):
            raise node.fault("fallback_form", "fallback and fallback_time stand together")
        return replace(
            terms,
            arbiters=arbiters,
            quorum=node.at("quorum").number("the quorum", least, len(arbiters)),
            answer_time=duration_at(node.at("answer_time")),
            fallback_arbiter=ZERO_ADDRESS if fallback is None else self._account(fallback),
            fallback_time=0 if time is None else duration_at(time),
        )


def _address_at(node: Node) -> Address:
    try:
        return account_address(node.text("an address"))
    except InvalidInput as error:
        raise node.fault(error.code, error.message) from error


def _quantity_at(node: Node, decimals: int) -> int:
    try:
        return parse_quantity(node.text("a quantity in decimal digits"), decimals)
    except InvalidInput as error:
        raise node.fault(error.code, error.message) from error


def _share_at(node: Node, decimals: int, quantity: int) -> int:
    """Read what the beneficiary gets: all, nothing, or a quantity of what is held."""
    if node.value in ("all", "nothing"):
        return quantity if node.value == "all" else 0
    share = _quantity_at(node, decimals)
    if share > quantity:
        raise node.fault("share_range", "this is more than the line holds")
    return share
