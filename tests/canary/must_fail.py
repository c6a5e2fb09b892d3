"""Fails, so that somebody sees that a failing test turns the run red."""


def test_one_is_two() -> None:
    assert 1 == 2
