"""One run: participants, officers and the weather act by a seed; then everything goes quiet."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Engine

from settle.chain.eip712 import address_of
from settle.chain.lease import this_holder
from settle.chain.node import Node
from settle.chain.signing import UnsignedTransaction, sign_transaction
from settle.domain import chainstate as twin
from settle.domain.errors import Broken, Unavailable
from settle.domain.ids import ZERO_ADDRESS, Address, AssetId, Lei
from settle.domain.ledger import AssetClass, Standing, code_bytes
from settle.services.admit_participants import Admission, admit_participants
from settle.store.database import _address, _engine, open_database
from tests.crash.chain_model import GWEI, Act, ChainModel, Tx
from tests.crash.faults import Faults, Killed, refuse_commits
from tests.crash.node_model import ModelRpc
from tests.crash.operator_model import OPERATOR_KEY, Operator, World, deployment
from tests.crash.operator_model import profile as profile_of
from tests.crash.parties import LEIS, Parties
from tests.fakes import DOMAIN, FakeChain, FakeClock
from tests.support.trade_sides import EUR, LEI_A, SHARE
from tests.support.venue_world import ACCOUNTS, NOON

_BEYOND_ALL_WINDOWS_S = 10 * 86_400
STORM = 64
"""Acts until everything goes quiet."""
CALM = 120
"""Rounds within which all must have ended then."""
SENDER = bytes(address_of(OPERATOR_KEY))


class Bench:
    """The place of the database file; runs follow one another on it."""

    def __init__(self, folder: Path) -> None:
        self.file, self._template = folder / "settle.sqlite", folder / "template.sqlite"
        open_database(f"sqlite:///{self._template}").close()
        self.engine: Engine = _engine(_address(f"sqlite:///{self.file}"))
        refuse_commits(self.engine)

    def clear(self) -> None:
        """Begin with an empty database."""
        self.engine.dispose()
        for path in self.file.parent.glob(f"{self.file.name}*"):
            path.unlink()
        shutil.copy(self._template, self.file)


class Story:
    """One seed."""

    def __init__(self, bench: Bench, seed: int) -> None:
        bench.clear()
        self.seed, self.dice = seed, random.Random(seed)
        self.clock = FakeClock(NOON)
        self.faults = Faults(self.dice)
        self.chain = ChainModel(twin=FakeChain(clock=self.clock), clock=self.clock)
        self.depth = self.dice.choice((0, 1, 2))
        self.world = World(
            engine=bench.engine,
            faults=self.faults,
            clock=self.clock,
            profile=profile_of(self.depth, self.dice.choice((1, 3, 8))),
            deployment=deployment(self.chain.head.hash),
            node=Node(ModelRpc(self.chain, self.faults, self._submitted)),
            batch_legs=self.dice.choice((2, 4, 8)),
            draw=self.dice.randbytes,
        )
        self.lives = 0
        self.operator: Operator | None = None
        self.payloads: dict[int, set[bytes]] = {}
        self.foreign: set[bytes] = set()
        self._same_machine = self.dice.random() < 0.8
        self.violations: list[str] = []
        self.parties = Parties(self.dice, self.faults, self.clock, self.violations)
        self.all_is_covered = self.dice.random() < 0.85
        self._open_market()

    # --------------------------------------------------------------------- setting up

    def _open_market(self) -> None:
        rich = self.dice.random() < 0.6
        acts = [_standing(account) for account in ACCOUNTS.values()]
        acts += [_asset(SHARE, AssetClass.SECURITY, 0)]
        acts += [_asset(EUR, AssetClass.CENTRAL_BANK_MONEY, 2)]
        for lei in LEIS:
            acts += [_issue(lei, 1, 10_000 if rich else 700)]
            acts += [_issue(lei, 2, 10**8 if rich else 3 * 10**6)]
        self.chain.acts += acts
        for _ in range(3):
            self.chain.mine()
        self.faults.calm = True
        operator = Operator(self.world, "model/0/0")
        with operator.database.transaction() as conn:
            admissions = [
                Admission(lei=lei, bic=None, name=f"Bank {lei}", accounts=(account,))
                for lei, account in ACCOUNTS.items()
            ]
            admit_participants(operator.venue, conn, admissions, self.clock.now)
        # Some trades are signed already, so that the storm meets them on their way to the chain.
        for _ in range(2):
            self.parties.deal()
            self.parties.ask_all(operator)
        self.parties.ask_all(operator)
        self.faults.calm = False
        if self.dice.random() < 0.1:
            self.chain.refused_nonces.add(self.dice.randrange(3))

    def _submitted(self, tx: Tx) -> None:
        """Only stored bytes may leave, and all bytes of one nonce say one thing or nothing."""
        with self.world.engine.connect() as conn:
            stored = conn.exec_driver_sql(
                "SELECT count(*) FROM attempts JOIN attempt_bytes USING (hash) WHERE hash = ?",
                (tx.hash,),
            ).scalar_one()
        if not stored:
            self.violations.append(f"lost: bytes of nonce {tx.nonce} left before they were stored")
        if tx.data:
            self.payloads.setdefault(tx.nonce, set()).add(tx.data)

    # ------------------------------------------------------------------------- acting

    def run(self) -> None:
        """Storm, then quiet; `violations` are filled by tests/crash/laws.py afterwards."""
        acts = (
            *(self._let(self.parties.ask),) * 6,
            *(self._send,) * 5,
            *(self._follow,) * 4,
            *(self._execute,) * 4,
            *(self._mine,) * 4,
            *(self._let(self.parties.listen),) * 2,
            *(self.parties.deal,) * 3,
            *(self._let(self.parties.ask_again), self.parties.cancel),
            *(self._time, self._node_fault, self._officer, self._kill, self._reorganise),
        )
        for _ in range(STORM):
            self._guarded(self.dice.choice(acts))
        self._quiet()

    def _guarded(self, act: Callable[[], None]) -> None:
        try:
            act()
        except Killed:
            self.operator = None
        except Unavailable:
            pass
        except Broken as fault:
            self._broken(fault)

    def _broken(self, fault: Broken) -> None:
        """The loop ended with an alarm. A person looks, acknowledges, and starts anew."""
        self.operator = None
        if not self.foreign:
            self.violations.append(f"gaps: stopped without a cause: {fault.code} {fault.message}")
        calm, self.faults.calm = self.faults.calm, True
        self.chain.mine()
        self.clock.now += 20
        operator = self._process()
        operator.sender.acknowledge()
        operator.sender.stop()
        self.operator, self.faults.calm = None, calm

    def _let(self, act: Callable[[Operator], None]) -> Callable[[], None]:
        return lambda: act(self._process())

    def _process(self) -> Operator:
        if self.operator is None:
            self.lives += 1
            # A process of this machine that is gone, or one of another machine: nobody knows.
            machine = this_holder().partition("/")[0] if self._same_machine else "elsewhere"
            self.operator = Operator(self.world, f"{machine}/{2**30 + self.lives}/0")
        return self.operator

    def _send(self) -> None:
        self._process().send()

    def _follow(self) -> None:
        self._process().follow()

    def _execute(self) -> None:
        self._process().execute()

    def _kill(self) -> None:
        self.faults.count["killed between steps"] += 1
        self.operator = None

    def _time(self) -> None:
        self.clock.now += self.dice.choice((1, 3, 6, 20, 40))

    # ------------------------------------------------------------------------ weather

    def _mine(self) -> None:
        self.chain.base_fee = self.dice.choice((GWEI, GWEI, GWEI, GWEI, 3 * GWEI, 12 * GWEI))
        self.chain.mine(self.dice)

    def _reorganise(self) -> None:
        """Never deeper than what is not final."""
        if self.depth and self.dice.random() < 0.6:
            self.faults.count["chain: reorganised"] += 1
            self.chain.reorganise(self.dice.randint(1, self.depth), self.dice)

    def _node_fault(self) -> None:
        kind = self.dice.choice(("restart", "drop", "drop", "foreign"))
        pool = self.chain.pool
        if kind == "restart":
            pool.clear()
        elif kind == "drop" and pool:
            del pool[self.dice.choice(sorted(pool))]
        elif kind == "foreign":
            if self.dice.random() > 0.25:
                return
            self._foreign()
        self.faults.count[f"chain: {kind}"] += 1

    def _foreign(self) -> None:
        """Somebody else has the key and pays more than we do."""
        nonce = self.chain.head.nonces.get(SENDER, 0)
        signed = sign_transaction(
            UnsignedTransaction(
                chain_id=DOMAIN.chain_id,
                nonce=nonce,
                max_priority_fee_per_gas=GWEI,
                max_fee_per_gas=500 * GWEI,
                gas=21_000,
                to=ACCOUNTS[LEI_A],
                data=b"",
            ),
            OPERATOR_KEY,
        )
        self.foreign.add(signed.hash)
        self.chain.pool.pop((SENDER, nonce), None)
        self.chain.submit(signed.raw)

    def _officer(self) -> None:
        lei = self.dice.choice(LEIS)
        act = self.dice.choice(("issue", "freeze", "free", "poison"))
        if act == "issue":
            self.chain.acts.append(_issue(lei, self.dice.choice((1, 2)), 1_000))
        elif act in {"freeze", "free"}:
            self.chain.acts.append(_freeze(lei, frozen=act == "freeze"))
        else:
            digests = [one.digest for one in self.parties.deals if one.digest]
            if digests:
                self.chain.twin.poison ^= {self.dice.choice(digests)}

    # -------------------------------------------------------------------------- quiet

    def _quiet(self) -> None:
        """All faults end, everybody has enough; what is left must come to its end."""
        self.faults.calm = True
        self.chain.base_fee = GWEI
        self.chain.refused_nonces.clear()
        self.chain.twin.poison.clear()
        for lei in LEIS:
            self.chain.acts += [_freeze(lei, frozen=False)]
            if self.all_is_covered:
                self.chain.acts += [_issue(lei, 1, 10**9), _issue(lei, 2, 10**12)]
        for number in range(CALM):
            for act in (
                self._let(self.parties.ask_all),
                self._execute,
                self._send,
                self.chain.mine,
                self._follow,
                self._send,
            ):
                self._guarded(act)
            self.clock.now += 6 if number < 6 else 45
            if number == CALM // 2:
                self.clock.now += _BEYOND_ALL_WINDOWS_S
            if number > self.depth + 2 and self._is_over():
                break
        self._guarded(self._let(self.parties.listen_to_the_end))

    def _is_over(self) -> bool:
        if any(one.answer is None for one in self.parties.requests):
            return False
        with self.world.engine.connect() as conn:
            conn.exec_driver_sql("PRAGMA query_only = OFF")
            open_rows = conn.exec_driver_sql(
                "SELECT (SELECT count(*) FROM transactions WHERE state IN "
                "('queued', 'sent', 'mined')) + (SELECT count(*) FROM trades WHERE status NOT IN "
                "('Settled', 'Cancelled', 'Rejected', 'Lapsed'))"
            ).scalar_one()
            cursor = conn.exec_driver_sql("SELECT hash FROM cursor").scalar_one_or_none()
        return open_rows == 0 and bytes(cursor or b"") == self.chain.head.hash


def _standing(account: Address) -> Act:
    return lambda state: twin.set_standing(state, account, Standing.ADMITTED, 1)


def _asset(code: str, kind: AssetClass, decimals: int) -> Act:
    return lambda state: twin.create_asset(
        state, class_=kind, decimals=decimals, code=code_bytes(code), issuer=ZERO_ADDRESS
    )


def _issue(lei: Lei, asset: int, quantity: int) -> Act:
    """Nobody can issue to an account that is frozen: nothing happens then."""

    def act(state: twin.ChainState) -> twin.Step:
        if state.books.account(ACCOUNTS[lei]).frozen:
            return state, ()
        return twin.issue(state, AssetId(asset), ACCOUNTS[lei], quantity, bytes(32))

    return act


def _freeze(lei: Lei, *, frozen: bool) -> Act:
    return lambda state: twin.freeze_account(state, ACCOUNTS[lei], frozen=frozen, why=b"TEST")
