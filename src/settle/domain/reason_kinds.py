"""The table of reason codes: what each means, who can clear it, and how sese.024 says it.

The codes that the contract gives are those of contracts/src/libraries/Reasons.sol; tests/parity
compares. Source of the ISO codes: sese.024.001.12, reason lists of the statuses.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

ClearedBy = Literal[
    "time",  # the clock reaches an instant
    "holdings",  # what (who, asset of the leg) has available grows
    "standing",  # admission, suspension or freeze of the account `who` changes
    "asset",  # the asset of the leg is created or its freeze changes
    "consent",  # a signature or a call of the account `who` arrives
    "terms",  # a side is instructed, amended or cancelled; the instruction itself is final
    "caller",  # another call, or the same call put right
    "nobody",  # never
]
IsoList = Literal["pending", "rejected", "unmatched", "cancelled"]
Measure = Literal["", "quantity", "instant", "count", "bits", "nonce", "asset"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasonKind:
    """What a code means. `iso` is told to the side that `who` belongs to, `iso_other` to the other.

    `iso_list` names the list of sese.024 in which both stand; those of "pending" also stand in the
    failing list, FUTU excepted, which cannot fail. `clears` names who can clear it. A permanent
    reason never goes away for this instruction.
    """

    code: str
    sentence: str
    clears: str
    clears_by: ClearedBy
    permanent: bool = False
    iso: str = "OTHR"
    iso_other: str = "OTHR"
    iso_list: IsoList = "pending"
    measure: Measure = ""


def _never(code: str, sentence: str, iso: str = "OTHR", measure: Measure = "") -> ReasonKind:
    return ReasonKind(
        code=code,
        sentence=sentence,
        clears="nobody: instruct again with other terms",
        clears_by="nobody",
        permanent=True,
        iso=iso,
        iso_other=iso,
        iso_list="rejected",
        measure=measure,
    )


def _call(code: str, sentence: str, clears: str, measure: Measure = "") -> ReasonKind:
    return ReasonKind(
        code=code, sentence=sentence, clears=clears, clears_by="caller", measure=measure
    )


def _unmatched(code: str, sentence: str, clears: str) -> ReasonKind:
    return ReasonKind(
        code=code,
        sentence=sentence,
        clears=clears,
        clears_by="terms",
        iso=code,
        iso_other=code,
        iso_list="unmatched",
    )


def _differs(code: str, what: str) -> ReasonKind:
    return _unmatched(
        code,
        f"The two sides do not state the same {what}.",
        "either side, by cancelling its instruction and sending it again",
    )


def _ended(code: str, sentence: str, iso: str, measure: Measure = "") -> ReasonKind:
    return ReasonKind(
        code=code,
        sentence=sentence,
        clears="nobody: instruct again",
        clears_by="nobody",
        permanent=True,
        iso=iso,
        iso_other=iso,
        iso_list="cancelled",
        measure=measure,
    )


_MALFORMED = (
    _never("XLEG", "An instruction has between one and eight legs.", measure="count"),
    _never("XQTY", "A leg moves a quantity of zero.", "DQUA", "quantity"),
    _never("XSLF", "A leg delivers from an account to itself."),
    _never("XINI", "The initiator stands in none of the legs."),
    _never("XWIN", "The time in which the instruction may settle is empty.", "DDAT", "instant"),
    _never("XOPT", "The instruction asks for an option that does not exist.", measure="bits"),
    _never("XCYC", "The instruction names a netting cycle, and there are none yet."),
    _never("XPRE", "The instruction names a predecessor, and links are not supported yet."),
    _never("XLOT", "The smallest part does not fit the options.", "MINO", "quantity"),
)

_NONCE = (
    ReasonKind(
        code="XDON",
        sentence="This number of the initiator has settled already.",
        clears="nobody: what has settled is final",
        clears_by="nobody",
        permanent=True,
        measure="nonce",
    ),
    _ended("XCAN", "This number of the initiator was cancelled.", "CANI", "nonce"),
    # Whatever becomes of the other one uses the number up: it never opens again.
    _ended("XOCC", "Another instruction with the same number is under way.", "OTHR", "nonce"),
)

_TIME = (
    ReasonKind(
        code="FUTU",
        sentence="The settlement date has not been reached.",
        clears="the clock",
        clears_by="time",
        iso="FUTU",
        iso_other="FUTU",
        measure="instant",
    ),
    ReasonKind(
        code="ADEA",
        sentence="The last instant for settlement has passed.",
        clears="nobody: instruct again for another date",
        clears_by="nobody",
        permanent=True,
        iso="ADEA",
        iso_other="ADEA",
        measure="instant",
    ),
)

_CONSENT = (
    ReasonKind(
        code="XSIG",
        sentence="There must be one signature for each account of the legs.",
        clears="whoever sends the instruction to the chain",
        clears_by="caller",
        measure="count",
    ),
    ReasonKind(
        code="XADM",
        sentence="The account is not admitted to settlement.",
        clears="the registrar, by admitting the account",
        clears_by="standing",
        iso="BLOC",
    ),
    ReasonKind(
        code="XSUS",
        sentence="The participant of this account is suspended.",
        clears="the registrar, by ending the suspension",
        clears_by="standing",
        iso="BLOC",
    ),
    ReasonKind(
        code="XCON",
        sentence="The account has not consented to the instruction.",
        clears="the account, by signing",
        clears_by="consent",
        iso="DOCY",
        iso_other="DOCC",
    ),
    ReasonKind(
        code="XBAD",
        sentence="The signature is not one of this account over these terms.",
        clears="the account, by signing these very terms",
        clears_by="consent",
        iso="DOCY",
        iso_other="DOCC",
    ),
    _ended("XWDR", "The account has taken its consent back.", "CANI"),
)

_VALUE = (
    ReasonKind(
        code="BLOC",
        sentence="The account is frozen and delivers nothing.",
        clears="compliance, by ending the freeze",
        clears_by="standing",
        iso="BLOC",
    ),
    ReasonKind(
        code="XAST",
        sentence="The ledger has no asset of this number.",
        clears="the registrar, by creating the asset",
        clears_by="asset",
        measure="asset",
    ),
    ReasonKind(
        code="SBLO",
        sentence="The asset is frozen and cannot be delivered.",
        clears="compliance, by ending the freeze",
        clears_by="asset",
        iso="SBLO",
        iso_other="SBLO",
        measure="asset",
    ),
    ReasonKind(
        code="LACK",
        sentence="The deliverer does not have enough of the asset available.",
        clears="the deliverer, by receiving more of it or by ending a reservation",
        clears_by="holdings",
        iso="LACK",
        iso_other="CLAC",
        measure="quantity",
    ),
    ReasonKind(
        code="MONY",
        sentence="The payer does not have enough money available.",
        clears="the payer, by funding its account or by ending a reservation",
        clears_by="holdings",
        iso="MONY",
        iso_other="CMON",
        measure="quantity",
    ),
)

_OTHER_CALLS = (
    _call(
        "XPTY",
        "The account stands in none of the legs, or delivers in none.",
        "an account that does",
    ),
    _call(
        "XIRR",
        "All consents are on chain: no account can take its own back.",
        "all accounts of the legs together, by cancelling",
    ),
    _call(
        "XBND",
        "The reservation binds until the last instant for settlement.",
        "all accounts of the legs together, by cancelling; or the clock",
    ),
    _call(
        "XRSV",
        "Nothing is left to reserve, or nothing is reserved to be released.",
        "nobody needs to",
    ),
    _call(
        "XFAR",
        "The last instant for settlement is too far away to be bound until then.",
        "the clock, or an instruction with an earlier last instant",
        "instant",
    ),
    _call("XONC", "This signed message was used already and serves once.", "the account itself"),
    _call(
        "XEXP",
        "The time for which this message was signed is over.",
        "the account itself, by signing for longer",
        "instant",
    ),
    _call("XNIL", "The call would change nothing.", "nobody needs to"),
)

_UNMATCHED = (
    _unmatched(
        "CMIS",
        "No instruction of the counterparty fits this one.",
        "the counterparty, by instructing its side",
    ),
    _differs("DELN", "direction: one side delivers, the other receives"),
    _differs("FRAP", "form of payment, free or against payment"),
    _differs("SETR", "transaction type"),
    _differs("DSEC", "security"),
    _differs("DQUA", "quantity"),
    _differs("DTRD", "trade date"),
    _differs("DDAT", "settlement date"),
    _differs("NCRR", "currency"),
    _differs("DMON", "settlement amount, within the tolerance"),
    _differs("ICAG", "delivering and receiving party"),
    _differs("DEPT", "depository"),
    _differs("DMCT", "choice whether claims arise automatically"),
    _differs("DCMX", "cum or ex indicator"),
    _differs("IIND", "common reference"),
    _differs("ICUS", "client of a party"),
    _differs("SAFE", "securities account"),
    _unmatched(
        "CPCA",
        "The counterparty cancelled its instruction.",
        "the counterparty, by instructing again",
    ),
)

_SENDING = (
    _call(
        "XREV",
        "Sent to the chain by itself, the instruction made its transaction revert.",
        "the operator, who was told; it is tried again now and then",
    ),
)

_ENDED = (
    _ended("CANI", "Cancelled by those who instructed it.", "CANI"),
    _ended("CANS", "Cancelled by the system: its time ran out.", "CANS"),
)

ON_CHAIN: Final[tuple[ReasonKind, ...]] = (
    *_MALFORMED,
    *_NONCE,
    *_TIME,
    *_CONSENT,
    *_VALUE,
    *_OTHER_CALLS,
)
"""The codes of Reasons.sol. Up to MONY they stand in the order in which `settle` asks."""

OFF_CHAIN: Final[tuple[ReasonKind, ...]] = (*_UNMATCHED, *_SENDING, *_ENDED)
"""What matching, sending and the end of a trade say; the chain never gives them."""
