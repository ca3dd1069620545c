from __future__ import annotations

import stat

import pytest

from cbir.errors import CbirError
from cli.patient_key import key_file, read_key, read_or_make_key


@pytest.fixture(autouse=True)
def nothing_set(run):
    """No key yet."""


def test_reading_never_makes_a_key():
    assert read_key(None) is None
    assert not key_file().exists()


def test_the_key_is_made_once_and_for_its_owner_alone():
    key = read_or_make_key(None)
    assert stat.S_IMODE(key_file().stat().st_mode) == 0o600
    assert read_or_make_key(None) == read_key(None) == key
    assert len(key) == 32


def test_two_users_get_different_keys(monkeypatch, tmp_path):
    key = read_or_make_key(None)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "another"))
    assert read_or_make_key(None) != key


def test_the_setting_wins_and_the_text_of_a_key_file_is_the_same_key():
    key = read_or_make_key(None)
    assert read_key("another secret") != key
    assert read_key(key_file().read_text()) == key


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe"])
def test_a_key_file_of_nonsense_is_an_error_not_a_new_key(content):
    key_file().parent.mkdir(parents=True)
    key_file().write_bytes(content)
    with pytest.raises(CbirError, match="CBIR_PATIENT_KEY"):
        read_or_make_key(None)
    assert key_file().read_bytes() == content


def test_a_key_that_cant_be_kept_is_an_error_that_names_the_other_way(monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "file"))
    with pytest.raises(CbirError, match=r"[Ss]et CBIR_PATIENT_KEY"):
        read_or_make_key(None)
