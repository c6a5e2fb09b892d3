"""What an audit finds: a class, a place, both values."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, NamedTuple

KEPT: Final = 1_000
"""Findings kept in detail. All are counted."""


class Code(StrEnum):
    """Classes of findings. The value is what programs read; SENTENCES has what people read."""

    # The chain of blocks.
    CHAIN_ID = "chain_id_differs"
    GENESIS = "genesis_differs"
    BLOCK_MISSING = "block_missing"
    BLOCK_UNREADABLE = "block_unreadable"
    BLOCK_NUMBER = "block_number_differs"
    BLOCK_HASH = "block_hash_differs"
    PARENT_HASH = "parent_hash_differs"
    BLOCK_TIME = "block_time_goes_back"
    TRANSACTIONS_ROOT = "transactions_root_differs"
    TRANSACTION_HASH = "transaction_hash_differs"
    TRANSACTION_UNREADABLE = "transaction_unreadable"
    RECEIPTS_ROOT = "receipts_root_differs"
    RECEIPT_PLACE = "receipt_place_differs"
    BLOOM = "bloom_differs"
    LOGS = "logs_differ"
    # What was deployed.
    DEPLOYMENT_SIGNATURE = "deployment_signature_invalid"
    DEPLOYER = "deployer_differs"
    CODE = "code_differs"
    CODE_HASH = "code_hash_differs"
    IMMUTABLE = "immutable_differs"
    CREATION = "creation_differs"
    CREATION_UNEVIDENCED = "creation_unevidenced"
    AUTHORITY = "authority_differs"
    BUILD = "build_differs"
    # Who may do what.
    ROLE_PLAIN_KEY = "role_of_plain_key"
    ROLE_HOLDER = "role_of_unknown_contract"
    ROLE_PUBLIC = "role_of_everybody"
    ROLE_UNEXPECTED = "role_unexpected"
    ROLE_DELAY = "role_without_delay"
    ROLE_STATE = "role_state_differs"
    APPROVER_SIGNERS = "approver_signers_differ"
    APPROVER_ORGANISATIONS = "approver_of_one_organisation"
    APPROVAL = "approval_invalid"
    NOT_AUTHORISED = "not_authorised"
    # The events and what caused them.
    RESULT = "result_differs"
    IMPOSSIBLE = "event_impossible"
    UNEXPLAINED = "event_unexplained"
    EVENT_MISSING = "event_missing"
    EVENT_DIFFERS = "event_differs"
    CALL_UNEVIDENCED = "call_unevidenced"
    CALL_UNREADABLE = "call_unreadable"
    SUPPLY_UNBALANCED = "supply_unbalanced"
    # Consent and the rules of settlement.
    SIGNATURE = "signature_invalid"
    SIGNATURE_UNEVIDENCED = "signature_unevidenced"
    CONSENT_MISSING = "consent_missing"
    CONSENT_WITHDRAWN = "consent_withdrawn"
    MESSAGE_REUSED = "message_reused"
    WINDOW = "outside_window"
    TERMS = "terms_invalid"
    NONCE = "nonce_not_open"
    STANDING = "account_not_admitted"
    ACCOUNT_FROZEN = "account_frozen"
    ASSET_FROZEN = "asset_frozen"
    NOT_COVERED = "not_covered"
    COMMITTED = "ended_though_committed"
    # The terms of escrows.
    EVIDENCE = "evidence_invalid"
    EVIDENCE_UNEVIDENCED = "evidence_unevidenced"
    CONDITION = "condition_not_met"
    EQUIVOCATION = "oracle_equivocated"
    FOREIGN_TEXT = "escrow_text_differs"
    # The contracts' storage.
    HOLDING = "holding_differs"
    SUPPLY = "supply_differs"
    ACCOUNT = "account_differs"
    ASSET = "asset_differs"
    NONCE_WORD = "nonce_word_differs"
    LIVE = "live_state_differs"
    ESCROW = "escrow_differs"
    MODULE = "module_differs"
    PARTICIPANT = "participant_differs"
    STATE_UNREADABLE = "state_unreadable"
    STATE_PROOF = "state_proof_invalid"
    STORAGE_ROOT = "storage_root_differs"
    # The operator's database.
    DATABASE_UNREADABLE = "database_unreadable"
    DATABASE_CURSOR = "database_cursor_differs"
    DATABASE_MISSING = "database_row_missing"
    DATABASE_ADDED = "database_row_added"
    DATABASE_DIFFERS = "database_row_differs"


SENTENCES: Final[dict[Code, str]] = {
    Code.CHAIN_ID: "the node is of another chain than the deployment file",
    Code.GENESIS: "the first block is not the one of the deployment file",
    Code.BLOCK_MISSING: "the node does not give this block; the audit ends before it",
    Code.BLOCK_UNREADABLE: "the block is not written as blocks are; the audit ends before it",
    Code.BLOCK_NUMBER: "the block says another number than it was asked for by",
    Code.BLOCK_HASH: "the header does not hash to the block's hash",
    Code.PARENT_HASH: "the block does not stand on the block before it",
    Code.BLOCK_TIME: "the block is earlier than the block before it",
    Code.TRANSACTIONS_ROOT: "the transactions are not those that the header commits to",
    Code.TRANSACTION_HASH: "the transaction does not hash to its hash",
    Code.TRANSACTION_UNREADABLE: "the transaction is of a kind that cannot be encoded",
    Code.RECEIPTS_ROOT: "the receipts are not those that the header commits to",
    Code.RECEIPT_PLACE: "the receipt names another place than where it stands",
    Code.BLOOM: "the header's bloom is not that of the logs",
    Code.LOGS: "the node's log query answers otherwise than its receipts",
    Code.DEPLOYMENT_SIGNATURE: "the deployment file is not signed by its deployer",
    Code.DEPLOYER: "the deployment file is signed by another than was expected",
    Code.CODE: "the code is not that of the published contract",
    Code.CODE_HASH: "the code's hash is not the one of the deployment file",
    Code.IMMUTABLE: "a constant in the code is not what its constructor was to be given",
    Code.CREATION: "the contract was created by other bytes than the published ones",
    Code.CREATION_UNEVIDENCED: "no transaction that was read created the contract",
    Code.AUTHORITY: "the contract obeys another authority",
    Code.BUILD: "a fresh build gives other code than the published one",
    Code.ROLE_PLAIN_KEY: "a privileged role is held by a plain key",
    Code.ROLE_HOLDER: "a privileged role is held by a contract that is no approver",
    Code.ROLE_PUBLIC: "a privileged call is open to everybody",
    Code.ROLE_UNEXPECTED: "a role is not what the deployment file says",
    Code.ROLE_DELAY: "a role is given, or the administrator acts, without a delay",
    Code.ROLE_STATE: "the authority's state is not what its events say",
    Code.APPROVER_SIGNERS: "an approver's signers are not those of the deployment file",
    Code.APPROVER_ORGANISATIONS: "an approver is left with signers of fewer than two organisations",
    Code.APPROVAL: "an approved operation was not signed by two organisations, in time and once",
    Code.NOT_AUTHORISED: "a privileged act was done by somebody without the role",
    Code.RESULT: "an event states a result that does not follow from the events before it",
    Code.IMPOSSIBLE: "an event says what cannot be after the events before it",
    Code.UNEXPLAINED: "no call explains the event",
    Code.EVENT_MISSING: "a call succeeded and left no event",
    Code.EVENT_DIFFERS: "the event is not what the call says",
    Code.CALL_UNEVIDENCED: "the call inside a transaction cannot be seen: the node has no traces",
    Code.CALL_UNREADABLE: "the call's arguments cannot be read",
    Code.SUPPLY_UNBALANCED: "the holdings of an asset do not add up to its supply",
    Code.SIGNATURE: "the signature is not the account's",
    Code.SIGNATURE_UNEVIDENCED: "the wallet's agreement cannot be shown at the state before",
    Code.CONSENT_MISSING: "value moved, or a nonce ended, without the account's consent",
    Code.CONSENT_WITHDRAWN: "the account had withdrawn its consent",
    Code.MESSAGE_REUSED: "a signed message served a second time",
    Code.WINDOW: "it happened outside its window",
    Code.TERMS: "the terms are malformed",
    Code.NONCE: "the nonce was not free for this instruction",
    Code.STANDING: "the account was not admitted",
    Code.ACCOUNT_FROZEN: "the delivering account was frozen",
    Code.ASSET_FROZEN: "the asset was frozen or unknown",
    Code.NOT_COVERED: "the deliverer did not have the quantity",
    Code.COMMITTED: "it was ended by one side after all were committed",
    Code.EVIDENCE: "what was shown is not what the terms ask for",
    Code.EVIDENCE_UNEVIDENCED: "what a feed answered cannot be shown at the state before",
    Code.CONDITION: "the milestone's condition did not hold",
    Code.EQUIVOCATION: "an oracle signed two values for one round or instant",
    Code.FOREIGN_TEXT: "the text that an escrow names is not its terms in English",
    Code.HOLDING: "a holding in storage is not what the events give",
    Code.SUPPLY: "a supply in storage is not what the events give",
    Code.ACCOUNT: "an account in storage is not what the events give",
    Code.ASSET: "an asset in storage is not what the events give",
    Code.NONCE_WORD: "the nonces in storage are not what the events give",
    Code.LIVE: "a live instruction in storage is not what the events give",
    Code.ESCROW: "an escrow in storage is not what the events give",
    Code.MODULE: "a module in storage is not what the events give",
    Code.PARTICIPANT: "a participant in storage is not what the events give",
    Code.STATE_UNREADABLE: "the node does not answer for the contract's state",
    Code.STATE_PROOF: "the proof of a contract's state does not fit the block's state root",
    Code.STORAGE_ROOT: "the contract's storage is not exactly what the events give",
    Code.DATABASE_UNREADABLE: "the operator's database cannot be read",
    Code.DATABASE_CURSOR: "the operator's database follows another chain",
    Code.DATABASE_MISSING: "the operator's database lacks a row",
    Code.DATABASE_ADDED: "the operator's database has a row that the chain does not give",
    Code.DATABASE_DIFFERS: "a row of the operator's database is not what the chain gives",
}


class Place(NamedTuple):
    """Where in the chain something stands. `time`: the block's timestamp in unix seconds."""

    block: int
    time: int
    transaction: bytes | None = None
    log_index: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One difference. `stated` is what was found, `computed` what the audit gives instead.

    Places that do not apply are None. Amounts are in the asset's smallest unit.
    """

    code: Code
    fact: str
    block: int | None = None
    transaction: bytes | None = None
    log_index: int | None = None
    instruction: bytes | None = None
    account: bytes | None = None
    asset: int | None = None
    stated: object = None
    computed: object = None

    def to_json(self) -> dict[str, object]:
        """Give it as JSON has it: bytes as hex, numbers that may be large as text."""
        return {
            "code": self.code.value,
            "meaning": SENTENCES[self.code],
            "fact": self.fact,
            "block": self.block,
            "transaction": _shown(self.transaction),
            "log_index": self.log_index,
            "instruction": _shown(self.instruction),
            "account": _shown(self.account),
            "asset": self.asset,
            "stated": _shown(self.stated),
            "computed": _shown(self.computed),
        }

    def __str__(self) -> str:
        """One line for people."""
        places = [
            f"{name} {_shown(value)}"
            for name, value in (
                ("block", self.block),
                ("transaction", self.transaction),
                ("log", self.log_index),
                ("instruction", self.instruction),
                ("account", self.account),
                ("asset", self.asset),
            )
            if value is not None
        ]
        values = ""
        if self.stated is not None or self.computed is not None:
            values = f": {_shown(self.stated)}, should be {_shown(self.computed)}"
        where = f" ({', '.join(places)})" if places else ""
        return f"{self.code.value}: {self.fact}{where}{values}"


@dataclass(slots=True)
class Findings:
    """All findings of an audit: counted by class, the first ones kept."""

    kept: list[Finding] = field(default_factory=list)
    by_code: Counter[Code] = field(default_factory=Counter)

    def add(self, finding: Finding) -> None:
        """Count a finding; keep it while there is room."""
        self.by_code[finding.code] += 1
        if len(self.kept) < KEPT:
            self.kept.append(finding)

    def tell(
        self,
        place: Place,
        code: Code,
        fact: str,
        *,
        instruction: bytes | None = None,
        account: bytes | None = None,
        asset: int | None = None,
        stated: object = None,
        computed: object = None,
    ) -> None:
        """Add a finding at a place of the chain."""
        self.add(
            Finding(
                code=code,
                fact=fact,
                block=place.block,
                transaction=place.transaction,
                log_index=place.log_index,
                instruction=instruction,
                account=account,
                asset=asset,
                stated=stated,
                computed=computed,
            )
        )

    @property
    def total(self) -> int:
        """How many there are, kept or not."""
        return self.by_code.total()


def _shown(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, tuple):
        return "(" + ", ".join(str(_shown(part)) for part in value) + ")"
    return str(value)
