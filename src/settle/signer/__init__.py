"""The participant's side: it keeps the key, remembers what was instructed, and signs only that."""

from settle.signer.chain_market import chain_market
from settle.signer.journal import Consent, Journal
from settle.signer.program import Participant, Refusal, SigningRound
from settle.signer.review import Market, review

__all__ = [
    "Consent",
    "Journal",
    "Market",
    "Participant",
    "Refusal",
    "SigningRound",
    "chain_market",
    "review",
]
