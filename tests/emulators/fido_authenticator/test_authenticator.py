from typing import Any

import msgspec
import pytest
from fido2 import cbor
from hypothesis import given, settings
from hypothesis import strategies as st

from emulators.env import Env
from emulators.fido_authenticator import profile as profiles
from emulators.fido_authenticator.authenticator import COMMANDS, Authenticator
from emulators.fido_authenticator.profile import ProfileError
from emulators.fido_authenticator.status import Status
from emulators.fido_authenticator.store import Change, MemoryStore, StoreError, dump
from emulators.fido_authenticator.user import AutomaticUser
from tests.emulators.fido_authenticator.ctap_requests import (
    GET_ASSERTION,
    GET_INFO,
    MAKE_CREDENTIAL,
    assertion,
    call,
    creation,
    descriptor,
    register,
    request,
)


def test_unknown_commands_and_empty_requests_are_refused() -> None:
    """Each with its own status."""
    authenticator = Authenticator(Env.simulated(1))
    assert authenticator.start(b"").answer == bytes([Status.INVALID_LENGTH])
    for command in set(range(256)) - set(COMMANDS):
        assert authenticator.start(bytes([command])).answer == bytes([Status.INVALID_COMMAND])


def test_a_request_longer_than_the_key_says_is_refused() -> None:
    """GetInfo's maxMsgSize counts the command byte."""
    profile = profiles.load()
    limits = msgspec.structs.replace(profile.limits, max_msg_size=1024)
    authenticator = Authenticator(Env.simulated(1), msgspec.structs.replace(profile, limits=limits))
    padding = 1024 - len(request(MAKE_CREDENTIAL, creation({99: bytes(500)}))) + 500
    assert call(authenticator, MAKE_CREDENTIAL, creation({99: bytes(padding)}))[0] is Status.SUCCESS
    assert call(authenticator, MAKE_CREDENTIAL, creation({99: bytes(padding + 1)}))[0] is Status.REQUEST_TOO_LARGE


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"versions": ("FIDO_2_0", "FIDO_2_2")}, "FIDO_2_2"),
        ({"extensions": ("telepathy",)}, "telepathy"),
        ({"algorithms": (-7, -65535)}, "-65535"),
        ({"options": {"rk": True, "tea": True}}, "tea"),
        ({"attestation_formats": ("none",)}, "none"),
    ],
)
def test_a_profile_cannot_promise_what_is_not_there(changes: dict[str, Any], named: str) -> None:
    """A key never advertises what it does not do."""
    with pytest.raises(ProfileError, match=f"profile authrig-2.3: .* found {named}"):
        Authenticator(Env.simulated(1), msgspec.structs.replace(profiles.load(), **changes))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"options": {"uv": False}}, "option uv: expected built_in_uv with it, found none"),
        ({"options": {"bioEnroll": False}}, "option bioEnroll: expected built_in_uv.kind fingerprint with it"),
        ({"pin_uv_auth_protocols": ()}, "option clientPin: expected pin_uv_auth_protocols with it"),
        ({"config_commands": ()}, "option authnrCfg: expected config_commands with it"),
    ],
)
def test_a_profile_cannot_promise_what_it_does_not_describe(changes: dict[str, Any], sentence: str) -> None:
    """An option that needs a sensor, a protocol or a subcommand comes with it."""
    with pytest.raises(ProfileError, match=f"profile authrig-2.3: {sentence}"):
        Authenticator(Env.simulated(1), msgspec.structs.replace(profiles.load(), **changes))


def test_a_failing_memory_fails_the_command_only() -> None:
    """A full disk is an error of the key, not a crash, and the signature that could not be counted is not given."""

    class FullStore(MemoryStore):
        full = False

        def commit(self, *changes: Change) -> None:
            if self.full:
                raise StoreError("key file: cannot be written: disk full")
            super().commit(*changes)

    store = FullStore()
    authenticator = Authenticator(Env.simulated(1), store=store)
    register(authenticator, {7: {"rk": True}})
    store.full = True
    assert call(authenticator, GET_ASSERTION, assertion()) == (Status.OTHER, {})
    store.full = False
    assert call(authenticator, GET_ASSERTION, assertion())[0] is Status.SUCCESS


def test_two_keys_share_nothing() -> None:
    """What is made with one key is unknown to another."""
    one, other = Authenticator(Env.simulated(1)), Authenticator(Env.simulated(2))
    known = [descriptor(register(one))]
    assert call(one, GET_ASSERTION, assertion({3: known}))[0] is Status.SUCCESS
    assert call(other, GET_ASSERTION, assertion({3: known}))[0] is Status.NO_CREDENTIALS


_VALID = st.sampled_from(
    [
        request(MAKE_CREDENTIAL, creation({5: [descriptor(b"x" * 40)], 6: {"credProtect": 2}, 7: {"rk": True}})),
        request(GET_ASSERTION, assertion({3: [descriptor(b"x" * 40)], 5: {"up": False}})),
        request(GET_INFO),
    ]
)


@st.composite
def _damaged(draw: st.DrawFn) -> bytes:
    valid = draw(_VALID)
    where = draw(st.integers(1, len(valid)))
    match draw(st.integers(0, 3)):
        case 0:
            return valid[:where]
        case 1:
            return valid[:where] + draw(st.binary(min_size=1, max_size=9)) + valid[where:]
        case 2:
            return valid[: where - 1] + bytes([draw(st.integers(0, 255))]) + valid[where:]
        case _:
            return bytes([draw(st.sampled_from(sorted(COMMANDS)))]) + draw(st.binary(max_size=80))


@settings(max_examples=300, deadline=None)
@given(_damaged())
def test_refused_requests_change_nothing(damaged: bytes) -> None:
    """A damaged request gets a status, never an exception; unless it is still valid, the memory stays as it was.

    Nobody is there to touch the key, so that even a request which is still valid changes nothing.
    """
    store = MemoryStore()
    register(Authenticator(Env.simulated(1), store=store), {7: {"rk": True}})
    authenticator = Authenticator(Env.simulated(2), store=store, user=AutomaticUser(None))
    before = dump(store)
    execution = authenticator.start(damaged)
    if execution.answer is None:
        execution.cancel()
    assert execution.answer is not None
    status = Status(execution.answer[0])
    if status is not Status.SUCCESS:
        assert len(execution.answer) == 1
        assert dump(store) == before
    elif len(execution.answer) > 1:
        assert isinstance(cbor.decode(execution.answer[1:]), dict)


@pytest.mark.parametrize(
    ("name", "missing"),
    [
        ("minimal-2.0", {0x06, 0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x40, 0x41}),
        ("yubikey-5.2", {0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x40}),
        ("authrig-2.3", {0x09, 0x40}),
        ("authrig-bio", set()),
    ],
)
def test_a_key_has_the_commands_that_its_profile_lists(name: str, missing: set[int]) -> None:
    """The others are as unknown to it as any number; those that are there find that the parameters are missing."""
    authenticator = Authenticator(Env.simulated(1), profiles.load(name))
    for command in COMMANDS.keys() - {0x04, 0x07, 0x08}:
        answer = authenticator.start(bytes([command])).answer
        assert (answer == bytes([Status.INVALID_COMMAND])) is (command in missing)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"extensions": ("hmac-secret-mc",)}, "extension hmac-secret-mc: expected hmac-secret with it"),
        (
            {"extensions": ("largeBlobKey",), "options": {}},
            "extension largeBlobKey: expected option largeBlobs with it",
        ),
        ({"extensions": ("minPinLength",), "options": {}}, "extension minPinLength: expected option setMinPINLength"),
        (
            {"extensions": ("hmac-secret",), "options": {}, "pin_uv_auth_protocols": ()},
            "extension hmac-secret: expected pin_uv_auth_protocols with it",
        ),
    ],
)
def test_an_extension_comes_with_what_it_needs(changes: dict[str, Any], sentence: str) -> None:
    """A profile that forgets the other half is refused with a sentence."""
    profile = msgspec.structs.replace(profiles.load(), **changes)
    with pytest.raises(ProfileError, match=sentence):
        Authenticator(Env.simulated(1), profile)
