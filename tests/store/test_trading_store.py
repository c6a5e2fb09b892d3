"""The port TradingStore, on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import pytest

from settle.domain.errors import Broken
from settle.domain.ids import Address, AssetId, Bic, InstructionId
from settle.domain.matching import Mismatch
from settle.domain.reasons import Reason
from settle.domain.status import Status
from settle.services.chain_rows import AccountRow, AssetRow, BlockRow, Cursor, HoldingRow
from settle.services.trade_rows import (
    CancellationRow,
    OwnedAccount,
    Queue,
    Role,
    SideState,
    SignatureRow,
    StoredAnswer,
    Wait,
)
from settle.store.chain_tables import SqlFollowerStore
from settle.store.trading import SqlTradingStore
from tests.support.trade_rows import event, number, participant, side, trade
from tests.support.trade_sides import ACCOUNT_A, ACCOUNT_B, LEI_A, LEI_B, LEI_C

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from settle.domain.ids import TradeId
    from settle.services.trade_ports import TradingStore
    from settle.store.database import Database

STORE: TradingStore = SqlTradingStore()
CHAIN = SqlFollowerStore()
MOST = 2**128 - 1


def admit(conn: Connection) -> None:
    STORE.put_participants(conn, [participant(lei) for lei in (LEI_A, LEI_B, LEI_C)])


def ids(rows: object) -> list[TradeId]:
    return [row.trade_id for row in rows]  # type: ignore[attr-defined]  # whatever has one


class TestDirectory:
    def test_participants_are_found_by_lei_and_by_bic(self, database: Database) -> None:
        a = participant(LEI_A, bic=Bic("BANKDEFFXXX"), role=Role.OPERATOR)
        with database.transaction() as conn:
            STORE.put_participants(conn, [participant(LEI_A), participant(LEI_B)])
            STORE.put_participants(conn, [a])
            STORE.put_participants(conn, [])
            assert STORE.participants(conn) == [a, participant(LEI_B)]
            assert STORE.participants_of(conn, [LEI_B, LEI_C]) == {LEI_B: participant(LEI_B)}
            assert STORE.participant_by_bic(conn, Bic("BANKDEFFXXX")) == a
            assert STORE.participant_by_bic(conn, Bic("BANKFRPPXXX")) is None

    def test_accounts_keep_their_owner_and_their_order(self, database: Database) -> None:
        third = Address(b"\xcc" * 20)
        rows = [
            OwnedAccount(address=third, lei=LEI_A, position=1, created_at=1),
            OwnedAccount(address=ACCOUNT_A, lei=LEI_A, position=0, created_at=1),
            OwnedAccount(address=ACCOUNT_B, lei=LEI_B, position=0, created_at=1),
        ]
        with database.transaction() as conn:
            admit(conn)
            STORE.put_accounts(conn, rows)
            STORE.put_accounts(conn, [replace(rows[1], lei=LEI_C, position=5)])
            assert STORE.accounts_of(conn, [LEI_A, LEI_C]) == {LEI_A: [ACCOUNT_A, third]}
            assert STORE.owners_of(conn, [ACCOUNT_A, ACCOUNT_B, Address(b"\x09" * 20)]) == {
                ACCOUNT_A: LEI_A,
                ACCOUNT_B: LEI_B,
            }

    def test_a_request_key_signs_until_it_is_revoked(self, database: Database) -> None:
        with database.transaction() as conn:
            admit(conn)
            STORE.put_request_key(conn, ACCOUNT_A, LEI_A, 1)
            STORE.put_request_key(conn, ACCOUNT_A, LEI_B, 2)
            owner = STORE.request_key_owner(conn, ACCOUNT_A)
            assert owner is not None
            assert owner.lei == LEI_A
            assert STORE.request_key_owner(conn, ACCOUNT_B) is None
            assert STORE.revoke_request_key(conn, ACCOUNT_A, 3)
            assert not STORE.revoke_request_key(conn, ACCOUNT_A, 4)
            assert STORE.request_key_owner(conn, ACCOUNT_A) is None


class TestBooks:
    def test_what_the_follower_derived_is_read(self, database: Database) -> None:
        asset = AssetRow(
            asset=1,
            asset_class=1,
            decimals=0,
            code="DE0007164600",
            issuer=b"\x01" * 20,
            frozen=False,
        )
        holding = HoldingRow(account=ACCOUNT_A, asset=1, available=MOST, held=1)
        account = AccountRow(account=ACCOUNT_A, standing=1, account_class=0, frozen=False)
        block = BlockRow(
            number=3, hash=b"\x03" * 32, parent_hash=b"\x02" * 32, timestamp=1_234, final=True
        )
        with database.transaction() as conn:
            assert STORE.final_head(conn) is None
            assert STORE.followed_to(conn) is None
            CHAIN.add_blocks(conn, [block], [])
            CHAIN.set_cursor(
                conn,
                Cursor(genesis_hash=b"\x00" * 32, number=3, hash=b"\x03" * 32, final_number=3),
            )
            CHAIN.put_derived(conn, [asset, holding, account], undo_block=None)
            assert STORE.assets(conn) == [asset]
            assert STORE.asset_numbers(conn, ["DE0007164600", "EUR"]) == {"DE0007164600": 1}
            key = (ACCOUNT_A, AssetId(1))
            assert STORE.holdings_at(conn, [key, (ACCOUNT_B, AssetId(1))]) == {key: holding}
            assert STORE.holdings_of(conn, [ACCOUNT_A, ACCOUNT_B]) == [holding]
            assert STORE.account_rows(conn, [ACCOUNT_A, ACCOUNT_B]) == {ACCOUNT_A: account}
            assert STORE.final_head(conn) == (3, 1_234)
            assert STORE.followed_to(conn) == 3


class TestSides:
    def test_a_side_comes_back_as_it_was(self, database: Database) -> None:
        full = side(1, presigned=trade(1).instruction, reference_key=b"\x04" * 16)
        full = replace(
            full,
            side=replace(
                full.side,
                quantity=MOST,
                amount=MOST,
                nonce=2**64 - 1,
                account=ACCOUNT_A,
                opt_out=True,
                common_reference="ÄÖ-1",
            ),
        )
        plain = side(2)
        with database.transaction() as conn:
            admit(conn)
            STORE.add_trades(conn, [trade(1), trade(2)])
            STORE.add_sides(conn, [full, plain])
            STORE.add_sides(conn, [])
            found = STORE.sides_by_reference(conn, LEI_A, ["REF-1", "REF-2", "REF-3"])
            assert found == {"REF-1": full, "REF-2": plain}
            assert STORE.sides_by_reference(conn, LEI_B, ["REF-1"]) == {}
            assert STORE.sides_of(conn, [number(2), number(9)]) == {number(2): [plain]}

    def test_a_reference_of_a_participant_is_there_once(self, database: Database) -> None:
        with database.transaction() as conn:
            admit(conn)
            STORE.add_trades(conn, [trade(1), trade(2)])
            STORE.add_sides(conn, [side(1)])
        again = replace(side(2), side=replace(side(2).side, reference="REF-1"))
        with pytest.raises(Broken), database.transaction() as conn:
            STORE.add_sides(conn, [again])

    def test_only_open_sides_are_offered_oldest_first(self, database: Database) -> None:
        with database.transaction() as conn:
            admit(conn)
            STORE.add_trades(conn, [trade(n) for n in range(1, 6)])
            rows = [
                side(1),
                side(2, equal_key=b"\x09" * 16, reference_key=b"\x04" * 16),
                side(3, equal_key=b"\x09" * 16, security_key=b"\x09" * 16),
                side(4),
                side(5),
            ]
            STORE.add_sides(conn, rows)
            STORE.set_side_states(conn, [replace(rows[3], state=SideState.MATCHED)])
            STORE.end_sides(conn, [number(5)])
            key, other = b"\x01" * 16, b"\x02" * 16
            equal = STORE.sides_to_match(conn, [key], besides=LEI_B, limit=9)
            assert ids(equal) == [number(1)]
            assert STORE.sides_to_match(conn, [key], besides=LEI_A, limit=9) == []

            def near(
                *, references: tuple[bytes, ...] = (), bare: tuple[bytes, ...] = (), limit: int = 9
            ) -> list[TradeId]:
                return ids(
                    STORE.sides_nearby(
                        conn,
                        reference_keys=references,
                        security_keys=() if bare else (other,),
                        bare_security_keys=bare,
                        besides=LEI_B,
                        limit=limit,
                    )
                )

            assert near() == [number(1), number(2)]
            assert near(limit=1) == [number(1)]
            assert near(bare=(other,)) == [number(1)]
            assert near(bare=(other,), references=(b"\x04" * 16,)) == [number(1), number(2)]
            assert STORE.sides_of(conn, [number(5)])[number(5)][0].state is SideState.ENDED


class TestTrades:
    def test_a_trade_comes_back_as_it_was(self, database: Database) -> None:
        full = trade(
            1,
            value=MOST,
            nonce=2**64 - 1,
            differences=(Mismatch(field="amount", code="DMON", ours="1", theirs=None),),
            near_trade=number(2),
            reasons=(Reason(code="LACK", leg=1, who=ACCOUNT_B, needed=2**256 - 1, have=3),),
            reasons_at=4,
            queue=Queue.SENT,
            wake_at=5,
            batch_id=6,
            batch_cap=7,
            cancel_id=8,
            ended_at=9,
            ended_block=10,
            settled_tx=b"\x0b" * 32,
        )
        bare = trade(
            2,
            digest=None,
            instruction=None,
            deliverer_account=None,
            receiver_account=None,
        )
        with database.transaction() as conn:
            STORE.add_trades(conn, [full, bare])
            STORE.add_trades(conn, [])
            assert STORE.trades(conn, [number(1), number(2), number(3)]) == {
                number(1): full,
                number(2): bare,
            }
            assert full.digest is not None
            assert STORE.trades_by_digest(conn, [full.digest]) == {full.digest: full}
            assert STORE.trades_on_nonces(conn, [(ACCOUNT_A, 2**64 - 1), (ACCOUNT_B, 2)]) == {
                (ACCOUNT_A, 2**64 - 1): number(1)
            }
            assert STORE.trades_near(conn, [number(2)]) == [full]

    def test_one_nonce_binds_one_trade(self, database: Database) -> None:
        with database.transaction() as conn:
            STORE.add_trades(conn, [trade(1), trade(2, nonce=1, nonce_bound=False)])
        with pytest.raises(Broken), database.transaction() as conn:
            STORE.add_trades(conn, [trade(3, nonce=1)])
        with database.transaction() as conn:
            STORE.update_trades(conn, [trade(1, version=2, nonce_bound=False)])
            STORE.add_trades(conn, [trade(3, nonce=1)])

    def test_a_change_needs_the_version_before_it(self, database: Database) -> None:
        changed = trade(1, version=2, status=Status.MATCHED, updated_at=9, queue=Queue.READY)
        with database.transaction() as conn:
            STORE.add_trades(conn, [trade(1), trade(2)])
            STORE.update_trades(conn, [changed])
            STORE.update_trades(conn, [])
            assert STORE.trades(conn, [number(1)])[number(1)] == changed
            matched = replace(
                changed,
                version=3,
                second_side="other",
                initiator=ACCOUNT_B,
                nonce=99,
                digest=InstructionId(b"\x77" * 32),
                instruction=None,
                settle_from=11,
                settle_by=21,
                deadline_at=22,
                value=MOST,
                deliverer_account=ACCOUNT_B,
                receiver_account=ACCOUNT_A,
            )
            STORE.set_terms(conn, [matched])
            STORE.set_terms(conn, [])
            STORE.update_trades(conn, [matched])
            assert STORE.trades(conn, [number(1)])[number(1)] == matched
        with pytest.raises(Broken), database.transaction() as conn:
            STORE.update_trades(conn, [trade(2, version=2), changed])  # it has version 3 by now
        with database.reading() as conn:
            assert STORE.trades(conn, [number(2)])[number(2)].version == 1

    def test_lists_are_of_the_viewer_newest_first_and_continue(self, database: Database) -> None:
        rows = [
            trade(1, deliverer_lei=LEI_A, receiver_lei=LEI_B, status=Status.SETTLED),
            trade(2, deliverer_lei=LEI_B, receiver_lei=LEI_A),
            trade(3, deliverer_lei=LEI_B, receiver_lei=LEI_C),
            trade(4, deliverer_lei=LEI_A, receiver_lei=LEI_C, status=Status.PENDING),
        ]
        with database.transaction() as conn:
            STORE.add_trades(conn, rows)

            def listed(viewer: object, *statuses: Status, below: int = 99) -> list[int]:
                found = STORE.list_trades(
                    conn,
                    viewer=viewer,  # type: ignore[arg-type]  # a LEI or None
                    statuses=statuses,
                    below=number(below),
                    limit=2,
                )
                return [row.nonce for row in found]

            assert listed(None) == [4, 3]
            assert listed(None, below=3) == [2, 1]
            assert listed(LEI_A) == [4, 2]
            assert listed(LEI_A, below=2) == [1]
            assert listed(LEI_A, Status.SETTLED, Status.PENDING) == [4, 1]
            assert listed(LEI_A, Status.UNMATCHED) == [2]
            assert listed(LEI_C, Status.SETTLED) == []
            assert STORE.count_unsettled(conn) == {Status.UNMATCHED: 2, Status.PENDING: 1}
            everything = STORE.list_trades(conn, viewer=None, statuses=(), below=None, limit=9)
            assert len(everything) == 4

    def test_what_a_participant_has_to_sign(self, database: Database) -> None:
        matched = {"status": Status.MATCHED}
        rows = [
            trade(1, **matched),
            trade(2, deliverer_lei=LEI_B, receiver_lei=LEI_A, **matched),
            trade(3, **matched),
            trade(4),
            trade(5, cancel_id=1, **matched),
        ]
        with database.transaction() as conn:
            STORE.add_trades(conn, rows)
            digest = rows[2].digest
            assert digest is not None
            STORE.add_signatures(
                conn,
                [
                    SignatureRow(
                        digest=digest,
                        account=ACCOUNT_A,
                        signature=b"\x01" * 65,
                        created_at=1,
                    )
                ],
            )
            unsigned = STORE.unsigned_trades
            assert ids(unsigned(conn, LEI_A, above=None, limit=9)) == [number(1), number(2)]
            assert ids(unsigned(conn, LEI_A, above=number(1), limit=9)) == [number(2)]
            assert ids(unsigned(conn, LEI_A, above=None, limit=1)) == [number(1)]
            assert ids(unsigned(conn, LEI_B, above=None, limit=9)) == [
                number(1),
                number(2),
                number(3),
            ]
            assert unsigned(conn, LEI_C, above=None, limit=9) == []

    def test_overdue_is_what_is_open_at_its_deadline(self, database: Database) -> None:
        with database.transaction() as conn:
            STORE.add_trades(
                conn,
                [
                    trade(1, deadline_at=30),
                    trade(2, deadline_at=20, status=Status.PENDING),
                    trade(3, deadline_at=10, status=Status.SETTLED),
                    trade(4, deadline_at=31),
                ],
            )
            assert ids(STORE.overdue_trades(conn, 30, limit=9)) == [number(2), number(1)]
            assert ids(STORE.overdue_trades(conn, 30, limit=1)) == [number(2)]
            assert STORE.overdue_trades(conn, 19, limit=9) == []


class TestSignatures:
    def test_the_first_signature_of_an_account_stays(self, database: Database) -> None:
        digest = trade(1).digest
        assert digest is not None
        first = SignatureRow(
            digest=digest,
            account=ACCOUNT_A,
            signature=b"first",
            created_at=1,
        )
        with database.transaction() as conn:
            STORE.add_signatures(conn, [first, replace(first, account=ACCOUNT_B)])
            STORE.add_signatures(conn, [replace(first, signature=b"second")])
            STORE.add_signatures(conn, [])
            assert STORE.signatures(conn, [digest]) == {
                digest: {ACCOUNT_A: b"first", ACCOUNT_B: b"first"}
            }
            assert STORE.signatures(conn, []) == {}

    def test_those_of_wallets_are_counted(self, database: Database) -> None:
        one, other = trade(1).digest, trade(2).digest
        assert one is not None
        assert other is not None
        by_key = SignatureRow(digest=one, account=ACCOUNT_A, signature=b"a", created_at=1)
        rows = [
            by_key,
            replace(by_key, account=ACCOUNT_B, by_wallet=True),
            replace(by_key, digest=other),
        ]
        with database.transaction() as conn:
            STORE.add_signatures(conn, rows)
            assert STORE.wallet_signatures(conn, [one, other]) == {one: 1}
            assert STORE.wallet_signatures(conn, []) == {}

    def test_the_last_cancellation_of_an_account_counts(self, database: Database) -> None:
        digest = trade(1).digest
        assert digest is not None
        first = CancellationRow(
            digest=digest, account=ACCOUNT_A, valid_by=10, signature=b"first", created_at=1
        )
        second = replace(first, valid_by=20, signature=b"second", created_at=2)
        other = replace(first, account=ACCOUNT_B)
        with database.transaction() as conn:
            assert STORE.cancellations(conn, digest) == {}
            for row in (first, other, second):
                STORE.put_cancellation(conn, row)
            found = STORE.cancellations(conn, digest)
            assert found == {ACCOUNT_A: second, ACCOUNT_B: other}


class TestQueue:
    def test_the_most_urgent_comes_first(self, database: Database) -> None:
        ready = {"queue": Queue.READY}
        with database.transaction() as conn:
            STORE.add_trades(
                conn,
                [
                    trade(1, value=5, **ready),
                    trade(2, value=10**30, **ready),
                    trade(3, settlement_date=date(2026, 11, 25), **ready),
                    trade(4, priority=2, settlement_date=date(2026, 12, 1), **ready),
                    trade(5, priority=1, queue=Queue.WAITING),
                    trade(6, value=5, **ready),
                ],
            )
            assert [row.nonce for row in STORE.ready_trades(conn, 9)] == [4, 3, 2, 1, 6]
            assert [row.nonce for row in STORE.ready_trades(conn, 2)] == [4, 3]

    def test_trades_in_flight_are_told_by_their_transaction(self, database: Database) -> None:
        rows = [
            trade(1, queue=Queue.SENT, batch_id=2),
            trade(2, queue=Queue.SENT, batch_id=1),
            trade(3, queue=Queue.SEEN, batch_id=1),
            trade(4, queue=Queue.READY, batch_id=1),
        ]
        with database.transaction() as conn:
            STORE.add_trades(conn, rows)
            assert STORE.sent_trades(conn) == [number(2), number(1)]
            assert [row.nonce for row in STORE.trades_of_batch(conn, 1)] == [2, 3]
            moved = replace(
                rows[1], queue=None, batch_id=None, batch_cap=5, wake_at=3, status=Status.SETTLED
            )
            STORE.move_in_queue(conn, [moved])
            STORE.move_in_queue(conn, [])
            after = STORE.trades(conn, [number(2)])[number(2)]
            assert after == replace(moved, status=Status.UNMATCHED)
            assert STORE.positions(conn, [number(1), number(2), number(9)]) == {
                number(1): (1, Queue.SENT),
                number(2): (1, None),
            }

    def test_only_whom_a_changed_fact_concerns_is_woken(self, database: Database) -> None:
        waiting = {"queue": Queue.WAITING}
        fact = "holding:a:1"

        def wait(n: int, needed: int) -> Wait:
            return Wait(fact=fact, trade_id=number(n), account=ACCOUNT_A, asset=1, needed=needed)

        with database.transaction() as conn:
            STORE.add_trades(conn, [trade(n, **waiting) for n in range(1, 5)])
            STORE.add_trades(conn, [trade(5)])
            STORE.add_waits(
                conn,
                [
                    wait(1, 100),
                    wait(2, MOST),
                    Wait(fact="account:b", trade_id=number(3)),
                    wait(4, 100),
                    wait(5, 1),
                ],
            )
            STORE.add_waits(conn, [])
            STORE.drop_waits(conn, [number(4)])
            here, elsewhere = (ACCOUNT_A, AssetId(1)), (ACCOUNT_A, AssetId(2))
            assert STORE.wake(conn, holdings=[here]) == 0  # nothing is there at all
            CHAIN.put_derived(
                conn,
                [HoldingRow(account=ACCOUNT_A, asset=1, available=100, held=MOST)],
                undo_block=None,
            )
            assert STORE.wake(conn, holdings=[elsewhere]) == 0
            assert STORE.wake(conn) == 0
            assert STORE.wake(conn, holdings=[here]) == 1
            assert [row.nonce for row in STORE.ready_trades(conn, 9)] == [1]
            assert STORE.wake(conn, facts=["account:b"], holdings=[here]) == 1
            assert [row.nonce for row in STORE.ready_trades(conn, 9)] == [1, 3]

    def test_time_wakes_whoever_waits_for_it(self, database: Database) -> None:
        with database.transaction() as conn:
            assert STORE.next_wake(conn) is None
            STORE.add_trades(
                conn,
                [
                    trade(1, queue=Queue.WAITING, wake_at=10),
                    trade(2, queue=Queue.WAITING, wake_at=11),
                    trade(3, queue=Queue.WAITING),
                ],
            )
            assert STORE.next_wake(conn) == 10
            assert STORE.wake_by_time(conn, 9) == 0
            assert STORE.wake_by_time(conn, 10) == 1
            assert STORE.next_wake(conn) == 11
            assert [row.nonce for row in STORE.ready_trades(conn, 9)] == [1]


class TestEvents:
    def test_each_viewer_counts_its_events_without_a_gap(self, database: Database) -> None:
        with database.transaction() as conn:
            STORE.append_events(conn, [event(1, LEI_A, LEI_B), event(2, LEI_B)])
            STORE.append_events(conn, [])
        with database.transaction() as conn:
            STORE.append_events(conn, [event(3, LEI_C, LEI_A), event(4), event(5, LEI_A)])

        def seen(viewer: object, after: int = 0, limit: int = 9) -> list[tuple[int, int, int]]:
            with database.reading() as conn:
                found = STORE.read_events(
                    conn,
                    viewer=viewer,  # type: ignore[arg-type]  # a LEI or None
                    after=after,
                    limit=limit,
                )
            return [(row.number, row.seq, row.created_at) for row in found]

        assert seen(LEI_A) == [(1, 1, 1), (2, 3, 3), (3, 5, 5)]
        assert seen(LEI_B) == [(1, 1, 1), (2, 2, 2)]
        assert seen(LEI_C) == [(1, 3, 3)]
        assert seen(None) == [(n, n, n) for n in range(1, 6)]
        assert seen(LEI_A, after=1, limit=1) == [(2, 3, 3)]
        with database.reading() as conn:
            assert STORE.last_event(conn, viewer=LEI_A) == 3
            assert STORE.last_event(conn, viewer=None) == 5
            assert STORE.last_event(conn, viewer=LEI_B) == 2

    def test_an_event_that_rolled_back_leaves_no_gap(self, database: Database) -> None:
        def stops_half_way() -> None:
            with database.transaction() as conn:
                STORE.append_events(conn, [event(1, LEI_A)])
                raise KeyError

        with pytest.raises(KeyError):
            stops_half_way()
        with database.transaction() as conn:
            STORE.append_events(conn, [event(2, LEI_A)])
            found = STORE.read_events(conn, viewer=LEI_A, after=0, limit=9)
        assert [(row.number, row.seq, row.created_at) for row in found] == [(1, 1, 2)]

    def test_three_viewers_are_too_many(self, database: Database) -> None:
        with pytest.raises(Broken), database.transaction() as conn:
            STORE.append_events(conn, [event(1, LEI_A, LEI_B, LEI_C)])


class TestRequests:
    def test_a_key_is_claimed_once_and_replays_its_answer(self, database: Database) -> None:
        body = b"\x01" * 32
        with database.transaction() as conn:
            assert STORE.claim_key(conn, LEI_A, "k", body, 5) is None
            assert STORE.claim_key(conn, LEI_B, "k", body, 5) is None
            under_way = StoredAnswer(
                body_digest=body, http_status=None, response=None, created_at=5
            )
            assert STORE.claim_key(conn, LEI_A, "k", b"\x02" * 32, 6) == under_way
            STORE.retake_key(conn, LEI_A, "k", 7)
            STORE.answer_key(conn, LEI_A, "k", 201, b"{}")
            done = StoredAnswer(body_digest=body, http_status=201, response=b"{}", created_at=7)
            assert STORE.claim_key(conn, LEI_A, "k", body, 8) == done
            STORE.free_key(conn, LEI_A, "k")
            assert STORE.claim_key(conn, LEI_A, "k", body, 8) == done
            STORE.free_key(conn, LEI_B, "k")
            assert STORE.claim_key(conn, LEI_B, "k", body, 9) is None
            assert STORE.forget_keys(conn, 9) == 1
            assert STORE.claim_key(conn, LEI_A, "k", body, 9) is None

    def test_a_nonce_serves_one_request_until_it_is_forgotten(self, database: Database) -> None:
        with database.transaction() as conn:
            assert STORE.use_request_nonce(conn, LEI_A, "n", 10)
            assert not STORE.use_request_nonce(conn, LEI_A, "n", 99)
            assert STORE.use_request_nonce(conn, LEI_B, "n", 10)
            assert STORE.forget_request_nonces(conn, 10) == 0
            assert STORE.forget_request_nonces(conn, 11) == 2
            assert STORE.use_request_nonce(conn, LEI_A, "n", 10)
