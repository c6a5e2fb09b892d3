from __future__ import annotations

import json
from pathlib import Path

import pytest

from settle.chain.eip712 import address_of
from settle.chain.keystore import load_key, new_key, save_key, stored_address
from settle.domain.errors import InvalidInput, Unavailable

QUICK = 2  # scrypt's work, for tests only


def test_a_key_comes_back_under_its_password(tmp_path: Path) -> None:
    key = new_key()
    path = tmp_path / "keys" / "operator.json"
    assert save_key(path, key, "a word", work=QUICK) == address_of(key)
    assert load_key(path, "a word") == key
    assert stored_address(path) == address_of(key)


def test_only_the_owner_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "k.json"
    save_key(path, new_key(), "a word", work=QUICK)
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o640)
    with pytest.raises(InvalidInput, match="chmod 600") as caught:
        load_key(path, "a word")
    assert caught.value.code == "keystore_mode"


def test_an_existing_file_is_never_replaced(tmp_path: Path) -> None:
    path = tmp_path / "k.json"
    save_key(path, new_key(), "a word", work=QUICK)
    before = path.read_bytes()
    with pytest.raises(InvalidInput, match="not replaced"):
        save_key(path, new_key(), "a word", work=QUICK)
    assert path.read_bytes() == before


def test_the_file_tells_nothing_of_the_key(tmp_path: Path) -> None:
    key = new_key()
    save_key(tmp_path / "k.json", key, "a word", work=QUICK)
    assert key.hex() not in (tmp_path / "k.json").read_text()


def test_a_wrong_password_is_named(tmp_path: Path) -> None:
    path = tmp_path / "k.json"
    save_key(path, new_key(), "a word", work=QUICK)
    with pytest.raises(InvalidInput, match="password is wrong") as caught:
        load_key(path, "another")
    assert caught.value.code == "keystore_password"


@pytest.mark.parametrize("text", ["", "no json", "[]", "{}", '{"version": 9}', '"x"'])
def test_what_is_no_keystore_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "k.json"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(InvalidInput) as caught:
        load_key(path, "a word")
    assert caught.value.code == "keystore_format"
    with pytest.raises(InvalidInput):
        stored_address(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="No such file"):
        load_key(tmp_path / "none.json", "a word")


def test_a_place_that_cannot_be_written_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable):
        save_key(tmp_path / "file" / "k.json", new_key(), "a word", work=QUICK)


def test_a_broken_mac_is_not_taken_for_a_key(tmp_path: Path) -> None:
    path = tmp_path / "k.json"
    save_key(path, new_key(), "a word", work=QUICK)
    content = json.loads(path.read_text())
    content["crypto"]["ciphertext"] = "00" * 32
    path.write_text(json.dumps(content))
    with pytest.raises(InvalidInput):
        load_key(path, "a word")
