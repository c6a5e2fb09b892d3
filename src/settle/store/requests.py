"""What must not be done twice: idempotency keys with their answers, nonces of signed requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Connection, and_, delete, select, update

from settle.services.trade_rows import StoredAnswer
from settle.store.columns import upsert
from settle.store.tables import idempotency, request_nonces

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

    from settle.domain.ids import Lei


class Requests:
    """The port `RequestStore`."""

    def claim_key(
        self, conn: Connection, lei: Lei, key: str, body_digest: bytes, at: int
    ) -> StoredAnswer | None:
        """Take an idempotency key; None if it was free, else what it stands for."""
        fresh = upsert(conn, idempotency).on_conflict_do_nothing().returning(idempotency.c.key)
        values = {"lei": lei, "key": key, "body_digest": body_digest, "created_at": at}
        if conn.execute(fresh, values).scalar_one_or_none() is not None:
            return None
        row = conn.execute(select(idempotency).where(_same(lei, key))).one()
        return StoredAnswer(
            body_digest=row.body_digest,
            http_status=row.http_status,
            response=row.response,
            created_at=row.created_at,
        )

    def retake_key(self, conn: Connection, lei: Lei, key: str, at: int) -> None:
        """Take a key over from a request that never ended."""
        conn.execute(update(idempotency).where(_same(lei, key)).values(created_at=at))

    def answer_key(
        self, conn: Connection, lei: Lei, key: str, http_status: int, response: bytes
    ) -> None:
        """Keep the answer."""
        conn.execute(
            update(idempotency)
            .where(_same(lei, key))
            .values(http_status=http_status, response=response)
        )

    def free_key(self, conn: Connection, lei: Lei, key: str) -> None:
        """Let a key be taken again, where nothing was done under it."""
        conn.execute(
            delete(idempotency).where(_same(lei, key), idempotency.c.http_status.is_(None))
        )

    def forget_keys(self, conn: Connection, before: int) -> int:
        """Drop keys that are older."""
        return conn.execute(delete(idempotency).where(idempotency.c.created_at < before)).rowcount

    def use_request_nonce(self, conn: Connection, lei: Lei, nonce: str, expires_at: int) -> bool:
        """Whether the nonce was fresh; it is used now."""
        fresh = upsert(conn, request_nonces).on_conflict_do_nothing()
        used = conn.execute(
            fresh.returning(request_nonces.c.nonce),
            {"lei": lei, "nonce": nonce, "expires_at": expires_at},
        )
        return used.scalar_one_or_none() is not None

    def forget_request_nonces(self, conn: Connection, before: int) -> int:
        """Drop nonces of requests that have expired."""
        return conn.execute(
            delete(request_nonces).where(request_nonces.c.expires_at < before)
        ).rowcount


def _same(lei: Lei, key: str) -> ColumnElement[bool]:
    return and_(idempotency.c.lei == lei, idempotency.c.key == key)
