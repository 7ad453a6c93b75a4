import base64
import hmac
import shutil
import subprocess

import pyotp
import pytest

from emulators.hwtoken.keys import Button
from emulators.hwtoken.memory import MemoryFault, RamStore, TokenMemory
from emulators.hwtoken.personalities.otp import otp_slot
from emulators.hwtoken.screens import Code, Error, ErrorKind, Idle, Review
from offline_qr.otpauth import OtpAccount, OtpType
from tests.emulators.hwtoken.token_bench import Bench

SECRET = b"12345678901234567890"
TOTP = OtpAccount(OtpType.TOTP, SECRET, "alice", "Bank")
HOTP = OtpAccount(OtpType.HOTP, SECRET, "alice", "Shop", counter=0)


def bench_with(*accounts: OtpAccount, store: RamStore | None = None) -> Bench:
    """A many-sided token with ``accounts``, on."""
    memory = TokenMemory(store)
    memory.manufacture("QT1-1")
    memory.update(slots=tuple(otp_slot(account) for account in accounts))
    bench = Bench("polyglot", memory)
    bench.token.power_on()
    return bench


def passcode(bench: Bench, name: str) -> str:
    """The passcode of the account ``name``, from the menu; then back."""
    bench.choose(name)
    code = bench.code()
    bench.ok()
    return code


def test_an_otpauth_code_enrols_an_account() -> None:
    """It is reviewed first, shows its first passcode, and is there from then on."""
    bench = bench_with()
    review = bench.scan(TOTP.text)
    assert isinstance(review, Review)
    assert [line.text for line in review.lines] == ["For", "Bank", "Account", "alice", "Codes", "6 digits by time"]
    bench.confirm()
    first = bench.code()
    assert pyotp.TOTP(TOTP.base32).verify(first, for_time=int(bench.clock.time()))
    bench.ok()
    again = bench.scan(TOTP.text)
    assert isinstance(again, Error)
    assert again.kind is ErrorKind.ALREADY_DONE
    bench.cancel()
    assert passcode(bench, "Bank: alice") == first


@pytest.mark.parametrize("text", ["otpauth://totp/alice?secret=!!", "otpauth://motp/alice?secret=AAAA"])
def test_a_set_up_code_with_mistakes_is_named(text: str) -> None:
    """Nothing is kept of it."""
    bench = bench_with()
    refused = bench.scan(text)
    assert isinstance(refused, Error)
    assert refused.kind is ErrorKind.DAMAGED
    assert bench.memory.contents.slots == ()


def test_a_counter_moves_with_each_passcode_and_survives() -> None:
    """RFC 4226 appendix D."""
    store = RamStore()
    bench = bench_with(HOTP, store=store)
    codes = [passcode(bench, "Shop: alice") for _ in range(3)]
    again = Bench("polyglot", TokenMemory(store))
    again.token.power_on()
    codes += [passcode(again, "Shop: alice") for _ in range(2)]
    assert codes == ["755224", "287082", "359152", "969429", "338314"]


def test_no_passcode_is_shown_whose_counter_could_not_be_kept() -> None:
    """Else it would come twice."""

    class Broken(RamStore):
        broken = False

        def save(self, data: bytes) -> None:
            if self.broken:
                raise MemoryFault("broken")
            super().save(data)

    store = Broken()
    bench = bench_with(HOTP, store=store)
    store.broken = True
    bench.choose("Shop: alice")
    screen = bench.screen()
    assert isinstance(screen, Error)
    assert screen.kind is ErrorKind.MEMORY_FAULT
    assert not any(isinstance(shown, Code) for shown in bench.history)


def test_a_counter_at_its_end_gives_no_passcode() -> None:
    """It does not begin again."""
    bench = bench_with(OtpAccount(OtpType.HOTP, SECRET, "alice", counter=2**64 - 1))
    refused = bench.choose("alice")
    assert isinstance(refused, Error)
    assert refused.kind is ErrorKind.UNSUPPORTED


def test_a_clock_that_was_put_far_back_still_gives_a_passcode() -> None:
    """That of 1970."""
    bench = bench_with(TOTP)
    bench.token.clock.jump(-(10**10))
    assert passcode(bench, "Bank: alice") == pyotp.TOTP(TOTP.base32).at(0)


def test_a_stopped_clock_gives_no_passcode_by_time() -> None:
    """A wrong one would only lock the account."""
    bench = bench_with(TOTP)
    bench.token.clock.lose()
    refused = bench.choose("Bank: alice")
    assert isinstance(refused, Error)
    assert refused.kind is ErrorKind.UNSUPPORTED


def test_the_menu_can_be_left() -> None:
    """By holding CANCEL."""
    bench = bench_with(TOTP, HOTP)
    bench.hold(Button.OK)
    assert isinstance(bench.hold(Button.CANCEL), Idle)


@pytest.mark.needs("oathtool")
@pytest.mark.parametrize("algorithm", ["SHA1", "SHA256", "SHA512"])
@pytest.mark.parametrize("digits", [6, 8])
def test_oathtool_computes_the_same(algorithm: str, digits: int) -> None:
    """By time with each hash."""
    account = OtpAccount(OtpType.TOTP, SECRET, "alice", algorithm=algorithm, digits=digits)
    bench = bench_with(account)
    tool = shutil.which("oathtool")
    assert tool is not None
    command = [tool, f"--totp={algorithm}", f"--digits={digits}", f"--now=@{int(bench.clock.time())}", SECRET.hex()]
    expected = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    assert passcode(bench, "alice") == expected


@pytest.mark.parametrize("digits", [6, 8])
def test_a_secret_of_80_bits_is_as_good_as_a_longer_one(digits: int) -> None:
    """Many servers give such ones out; the code is RFC 4226 §5.3 worked out by hand."""
    secret = "JBSWY3DPEHPK3PXP"
    bench = bench_with()
    bench.scan(f"otpauth://hotp/Shop:bob?secret={secret}&issuer=Shop&counter=4&digits={digits}")
    bench.confirm()
    mac = hmac.digest(base64.b32decode(secret), (4).to_bytes(8), "sha1")
    offset = mac[-1] & 15
    number = int.from_bytes(mac[offset : offset + 4]) & 0x7FFFFFFF
    assert bench.code() == f"{number % 10**digits:0{digits}}"
