"""The participant's side: it keeps the key, remembers what was instructed, and signs only that."""

from settle.signer.journal import Journal
from settle.signer.review import Market, review

__all__ = ["Journal", "Market", "review"]
