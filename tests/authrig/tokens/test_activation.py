"""What makers of tokens send: files of seeds, of several protocols, for tokens that one makes with commands."""

import json
import secrets
from pathlib import Path
from typing import Any

import pyotp
import pytest

from authrig.cli import main
from authrig.errors import RigError
from authrig.tokens.activation import provision
from authrig.tokens.token_file import TokenFile
from offline_qr import ocra, otpauth, pskc
from offline_qr.otq1 import seeds
from tests.authrig.tokens.logins import SEED, SERIAL

KEY = bytes(range(20))
URN = "urn:ietf:params:xml:ns:keyprov:pskc:"
SUITE = "OCRA-1:HOTP-SHA1-6:QN08"
URL = otpauth.OtpAccount(otpauth.OtpType.HOTP, KEY, "alice", counter=5).text


@pytest.fixture
def new(tmp_path: Path) -> Any:
    """Makes a token of a model, and opens it."""

    def make(profile: str) -> TokenFile:
        return TokenFile.create(tmp_path / f"{profile}.token", profile, SERIAL)

    return make


def pskc_of(*keys: pskc.PskcKey) -> bytes:
    """A maker's file, in plain text."""
    return pskc.write(keys)


@pytest.mark.parametrize("password", [None, "as told on the telephone"])
def test_a_seed_from_pskc(new: Any, password: str | None) -> None:
    """In plain text or under a password; another password gives nothing."""
    data = seeds.write_pskc(
        [seeds.Seed("QT1-1", bytes(32)), seeds.Seed(SERIAL, SEED)], password=password, draw=secrets.token_bytes
    )
    with new("qr-reader-keypad") as file:
        if password:
            with pytest.raises(RigError, match=r"seeds\.xml"):
                provision(file, data, "seeds.xml", password="another")
        provision(file, data, "seeds.xml", password=password)
        assert file.memory().identity.seed == SEED
        provision(file, data, "seeds.xml", password=password)
        with pytest.raises(RigError, match="expected a memory"):
            provision(file, f"{SERIAL},{'11' * 32}".encode(), "other.csv")


def press(file: Path, capsys: pytest.CaptureFixture[str], *keys: str) -> list[str]:
    """The lines on the screen after these keys."""
    capsys.readouterr()
    assert main(["token", "press", str(file), *keys, "--json"]) == 0
    lines: list[str] = json.loads(capsys.readouterr().out)["lines"]
    return lines


@pytest.mark.parametrize("data", [pskc_of(pskc.PskcKey("one", KEY, URN + "hotp", SERIAL, counter=5)), URL.encode()])
def test_an_otp_fob_shows_the_codes_of_its_key(
    new: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], data: bytes
) -> None:
    """By PSKC or by otpauth URL: pyotp says which codes, and each count is used once."""
    with new("otp-6digit") as file:
        provision(file, data, "keys")
    expected = [pyotp.HOTP(otpauth.parse(URL).base32).at(count) for count in (5, 6)]
    shown = [press(tmp_path / "otp-6digit.token", capsys, *keys) for keys in (["ok"], ["ok", "ok"])]
    assert [lines[0].replace(" ", "") for lines in shown] == expected


def test_a_card_reader_answers_a_typed_challenge(new: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """OCRA by PSKC: the suite is in the file."""
    key = pskc.PskcKey("card", KEY, URN + "ocra-1", SERIAL, suite=SUITE)
    with new("ocra-keypad") as file:
        provision(file, pskc_of(key), "keys")
    lines = press(tmp_path / "ocra-keypad.token", capsys, "ok", *"12345678", "ok")
    assert ocra.parse_suite(SUITE).compute(KEY, "12345678") in [line.replace(" ", "") for line in lines]


def test_what_a_model_does_not_speak_is_refused(new: Any) -> None:
    """Nothing is kept of the file, also where another key in it would fit."""
    fits = pskc.PskcKey("seed", SEED, seeds.ALGORITHM, SERIAL)
    with new("qr-reader-keypad") as file:
        for data in (
            pskc_of(fits, pskc.PskcKey("one", KEY, URN + "totp", SERIAL, time_interval=30)),
            pskc_of(pskc.PskcKey("pin", KEY, URN + "pin", SERIAL)),
            pskc_of(pskc.PskcKey("bad", KEY, URN + "hotp", SERIAL, digits=99)),
            pskc_of(pskc.PskcKey("bad", KEY, URN + "ocra-1", SERIAL, suite="OCRA-2")),
            URL.encode(),
            b"otpauth://totp/a?secret=x",
            b"\xff\xfe",
        ):
            with pytest.raises(RigError, match="keys: "):
                provision(file, data, "keys")
        assert file.memory().identity is None
        assert file.memory().contents.slots == ()


def test_an_account_is_not_added_twice(new: Any) -> None:
    """All of a file or nothing of it."""
    with new("otp-6digit") as file:
        provision(file, URL.encode(), "keys")
        other = otpauth.OtpAccount(otpauth.OtpType.TOTP, KEY, "bob").text
        with pytest.raises(RigError, match="alice"):
            provision(file, f"{other}\n{URL}\n".encode(), "keys")
        assert [slot.name for slot in file.memory().contents.slots] == ["alice"]
