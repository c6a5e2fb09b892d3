"""A typed client of the API. `Client` speaks, a `Signer` signs; `KeySigner` is one with a key."""

from settle.client.client import Client
from settle.client.signer import KeySigner, Signer
from settle.client.trades import SignedSide

__all__ = ["Client", "KeySigner", "SignedSide", "Signer"]
