"""Finds out who sends a request, from its signature. See `settle.signed_request` for the form."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Final

from settle.api.context import Caller
from settle.chain.eip712 import recover
from settle.domain.errors import Forbidden, InvalidInput, SettleError
from settle.services.trade_rows import Role
from settle.signed_request import Request, RequestSignature, read_authorization, signing_digest

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from settle.api.nonce_book import NonceBook
    from settle.domain.ids import Address
    from settle.services.trade_ports import DirectoryStore
    from settle.settings import ApiSettings
    from settle.store.database import Database


class Unauthenticated(SettleError):
    """Nobody known signed this very request, for this API, now, for the first time."""


_MESSAGES: Final = {
    "unauthenticated": "The request is not signed.",
    "signature_invalid": (
        "The signature is not one of the key over this request, or it is for another audience."
    ),
    "signature_expired": "The signed request has expired.",
    "signature_too_long": "The signed request expires too far ahead.",
    "nonce_used": "The nonce of the request was used before: sign again.",
}


def _no(code: str) -> Unauthenticated:
    return Unauthenticated(_MESSAGES[code], code=code)


class Authenticator:
    """Checks signatures against the participants of the database and the keys of the settings."""

    def __init__(
        self,
        *,
        database: Database,
        store: DirectoryStore,
        nonces: NonceBook,
        settings: ApiSettings,
        clock: Callable[[], int],
    ) -> None:
        """`clock` gives unix seconds."""
        self._database = database
        self._store = store
        self._nonces = nonces
        self._clock = clock
        self._lifetime_s = settings.request_lifetime_s
        self._own_keys = dict.fromkeys(settings.auditors(), Role.AUDITOR)
        self._own_keys |= dict.fromkeys(settings.operators(), Role.OPERATOR)
        both = settings.auditors() & settings.operators()
        if both:
            raise InvalidInput("role_keys", "a key is the operator's or the auditor's, not both")

    def caller(
        self, authorization: str | None, audiences: Collection[str], request: Request
    ) -> Caller:
        """Give who signed this request, and use up its nonce.

        `request` names no audience: the signature must be for one of `audiences`.
        Raises: Unauthenticated; Forbidden for a good signature of an unknown key.
        """
        if authorization is None:
            raise _no("unauthenticated")
        signed = read_authorization(authorization)
        now = self._clock()
        if signed.expires <= now:
            raise _no("signature_expired")
        if signed.expires > now + self._lifetime_s:
            raise _no("signature_too_long")
        if not any(_signs(signed, request, audience) for audience in audiences):
            raise _no("signature_invalid")
        caller = self._known(signed.key)
        if not self._nonces.use(caller.name, signed.nonce, signed.expires):
            raise _no("nonce_used")
        return caller

    def _known(self, key: Address) -> Caller:
        role = self._own_keys.get(key)
        if role is not None:
            return Caller(role=role, lei=None, key=key)
        with self._database.reading() as conn:
            found = self._participant(conn, key)
        if found is None:
            raise Forbidden(
                "no participant is known by the key of this request", code="key_unknown"
            )
        return found

    def _participant(self, conn: Connection, key: Address) -> Caller | None:
        row = self._store.request_key_owner(conn, key)
        if row is None:
            lei = self._store.owners_of(conn, [key]).get(key)
            row = None if lei is None else self._store.participants_of(conn, [lei]).get(lei)
        return None if row is None else Caller(role=row.role, lei=row.lei, key=key)


def _signs(signed: RequestSignature, request: Request, audience: str) -> bool:
    meant = Request(
        audience=audience,
        method=request.method,
        target=request.target,
        body_digest=request.body_digest,
        idempotency_key=request.idempotency_key,
        if_match=request.if_match,
    )
    try:
        signer = recover(signing_digest(meant, signed.expires, signed.nonce), signed.signature)
    except InvalidInput:
        return False
    return signer == signed.key
