"""The journal gives a nonce once and lets one digest a trade live, whatever is killed."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import pytest

from settle.domain.errors import Conflict, NotFound
from settle.domain.ids import InstructionId
from settle.domain.instruction import Instruction
from settle.signer.journal import Consent, Journal
from tests.signer.test_review import OURS, SIDE, TERMS, THEIRS

ONE, TWO = InstructionId(b"\x01" * 32), InstructionId(b"\x02" * 32)


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "journal.db")


def test_nonces_are_dense_and_by_account(journal: Journal, tmp_path: Path) -> None:
    assert list(journal.next_nonces(OURS, 3)) == [0, 1, 2]
    assert list(journal.next_nonces(THEIRS)) == [0]
    journal.close()
    assert list(Journal(tmp_path / "journal.db").next_nonces(OURS, 2)) == [3, 4]


def test_a_killed_process_gives_no_nonce_a_second_time(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    program = textwrap.dedent(f"""
        import os, pathlib, signal
        from settle.signer.journal import Journal
        nonces = Journal(pathlib.Path({str(path)!r})).next_nonces({bytes(OURS)!r}, 5)
        print(list(nonces), flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    """)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert done.returncode == -9
    assert done.stdout == b"[0, 1, 2, 3, 4]\n"
    assert list(Journal(path).next_nonces(OURS)) == [5]


def test_a_side_is_kept_as_it_was_instructed(journal: Journal) -> None:
    journal.instruct([SIDE])
    journal.instruct([SIDE])
    assert journal.instructed("R1") == SIDE
    with pytest.raises(Conflict):
        journal.instruct([replace(SIDE, reference="R2"), replace(SIDE, quantity=1)])
    with pytest.raises(NotFound):
        journal.instructed("R2")


def consent(reference: str, digest: InstructionId, terms: Instruction = TERMS) -> Consent:
    return Consent(reference=reference, digest=digest, terms=terms, signature=b"s")


def test_one_digest_of_a_trade_is_live_at_a_time(journal: Journal) -> None:
    other = replace(TERMS, nonce=9)
    journal.instruct([SIDE, replace(SIDE, reference="R2")])
    assert journal.record([consent("R1", ONE)]) == {}
    assert journal.record([consent("R1", ONE)]) == {}
    refused = journal.record([consent("R1", TWO, other), consent("R2", TWO, other)])
    assert list(refused) == ["R1"]
    assert "another digest is signed only when" in refused["R1"].message
    assert journal.signed_terms("R1") == (ONE, TERMS)
    assert journal.signed_terms("R2") == (TWO, other)
    journal.retire(ONE)
    assert journal.record([consent("R1", TWO, other)]) == {}
    assert journal.signed_terms("R1") == (TWO, other)


def test_who_stands_on_both_ends_signs_under_either_reference(journal: Journal) -> None:
    journal.instruct([SIDE, replace(SIDE, reference="R2")])
    assert journal.record([consent("R1", ONE)]) == {}
    assert journal.record([consent("R2", ONE)]) == {}
    assert journal.signed_terms("R1") == journal.signed_terms("R2") == (ONE, TERMS)
    assert journal.without_bundle() == (ONE,)


def test_only_a_side_that_nobody_can_hold_a_signature_of_is_forgotten(journal: Journal) -> None:
    later = replace(SIDE, reference="R2")
    assert journal.instruct([SIDE]) == ("R1",)
    assert journal.instruct([SIDE, later]) == ("R2",)
    journal.record([consent("R1", ONE)])
    journal.forget(["R1", "R2"])
    assert journal.instructed("R1") == SIDE
    assert journal.instruct([replace(later, quantity=1)]) == ("R2",)


def test_a_bundle_is_kept_and_missed_until_then(journal: Journal) -> None:
    journal.instruct([SIDE])
    journal.record([consent("R1", ONE)])
    assert journal.without_bundle() == (ONE,)
    with pytest.raises(NotFound):
        journal.bundle(ONE)
    journal.keep_bundle(ONE, [b"s", b"t"])
    assert journal.bundle(ONE) == (b"s", b"t")
    assert journal.without_bundle() == ()


def test_the_file_is_for_its_owner_alone(journal: Journal, tmp_path: Path) -> None:
    assert (tmp_path / "journal.db").stat().st_mode & 0o777 == 0o600
