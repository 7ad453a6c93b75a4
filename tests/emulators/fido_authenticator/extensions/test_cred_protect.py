from typing import Any

import pytest
from fido2.webauthn import AuthenticatorData

from emulators.env import Env
from emulators.fido_authenticator.authenticator import Authenticator
from emulators.fido_authenticator.extensions.cred_protect import CredProtect
from emulators.fido_authenticator.status import Status
from tests.emulators.fido_authenticator.ctap_requests import (
    GET_ASSERTION,
    MAKE_CREDENTIAL,
    assertion,
    call,
    creation,
    descriptor,
    register,
)


@pytest.mark.parametrize("resident", [False, True])
@pytest.mark.parametrize(
    ("level", "listed", "discovered"),
    [(None, True, True), (1, True, True), (2, True, False), (3, False, False)],
)
def test_a_protected_credential_hides_itself(
    level: int | None, *, listed: bool, discovered: bool, resident: bool
) -> None:
    """Without verification, level 2 answers only those who know the id, level 3 nobody; the exclude list agrees."""
    authenticator = Authenticator(Env.simulated(1))
    extensions = {} if level is None else {6: {"credProtect": level}}
    credential_id = register(authenticator, {**extensions, 7: {"rk": resident}})
    by_id = {3: [descriptor(credential_id)]}
    found = call(authenticator, GET_ASSERTION, assertion(by_id))[0] is Status.SUCCESS
    excluded = call(authenticator, MAKE_CREDENTIAL, creation({5: by_id[3]}))[0] is Status.CREDENTIAL_EXCLUDED
    assert (found, excluded) == (listed, listed)
    anyone = call(authenticator, GET_ASSERTION, assertion())[0]
    assert anyone is (Status.SUCCESS if discovered and resident else Status.NO_CREDENTIALS)


@pytest.mark.parametrize("level", [1, 2, 3])
def test_verification_reveals_every_level(level: int) -> None:
    """Once the user is verified, nothing is hidden."""
    authenticator = Authenticator(Env.simulated(1))
    credential_id = register(authenticator, {6: {"credProtect": level}})
    credential = authenticator._state.find("example.com", credential_id)
    assert credential is not None
    assert not CredProtect().hides(credential, listed=False, user_verified=True)


def test_the_level_is_reported_in_the_authenticator_data() -> None:
    """Only if it was asked for."""
    authenticator = Authenticator(Env.simulated(1))
    for extensions, reported in (({6: {"credProtect": 2}}, {"credProtect": 2}), ({}, None)):
        response = call(authenticator, MAKE_CREDENTIAL, creation(extensions))[1]
        assert AuthenticatorData(response[2]).extensions == reported


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, Status.INVALID_OPTION),
        (4, Status.INVALID_OPTION),
        ("2", Status.CBOR_UNEXPECTED_TYPE),
        (True, Status.CBOR_UNEXPECTED_TYPE),
    ],
)
def test_a_level_that_does_not_exist_is_refused(value: Any, expected: Status) -> None:
    """Wrong numbers and wrong types are told apart."""
    authenticator = Authenticator(Env.simulated(1))
    assert call(authenticator, MAKE_CREDENTIAL, creation({6: {"credProtect": value}}))[0] is expected
