"""Which devices a test gets, and when it is skipped: by its markers, whichever way it asks."""

import pytest

pytest_plugins = ["pytester"]

REAL = """
[devices.real]
kind = "fido"
attached = { match = { serial = "NOT-HERE" } }
"""
BOTH = f'version = 1\n{REAL}\n[devices.emulated]\nkind = "fido"\nemulated = {{ profile = "u2f-only" }}\n'
TESTS = """
    import pytest

    {markers}
    def test_it({fixture}):
        {body}
"""


def _run(
    pytester: pytest.Pytester,
    rig: str | None,
    *markers: str,
    fixture: str = "key",
    body: str = "pass",
    options: tuple[str, ...] = (),
) -> pytest.RunResult:
    pytester.makepyfile(
        TESTS.format(markers="\n    ".join(f"@pytest.mark.{marker}" for marker in markers), fixture=fixture, body=body)
    )
    if rig is not None:
        (pytester.path / "rig.toml").write_text(rig, "utf-8")
        options = ("--rig", "rig.toml", *options)
    return pytester.runpytest_inprocess("-rs", "-p", "no:cacheprovider", *options)


@pytest.mark.parametrize("markers", [(), ('hil("fido")',), ('hil("fido")', "hil_destructive"), ("hil_destructive",)])
@pytest.mark.parametrize(("fixture", "body"), [("key", "pass"), ("rig", "rig.new_key('any')")])
def test_a_test_of_emulated_devices_gets_no_attached_one(
    pytester: pytest.Pytester, markers: tuple[str, ...], fixture: str, body: str
) -> None:
    """Least of all one that erases it."""
    result = _run(pytester, BOTH, *markers, 'hil_only("emulated")', fixture=fixture, body=body)
    result.assert_outcomes(passed=1)


@pytest.mark.parametrize(("fixture", "body"), [("key", "pass"), ("rig", "rig.new_key('any')")])
def test_a_test_of_attached_devices_gets_no_emulated_one(pytester: pytest.Pytester, fixture: str, body: str) -> None:
    """It is skipped where there are none."""
    result = _run(pytester, None, 'hil_only("attached")', fixture=fixture, body=body)
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["*the rig has too few attached keys*"])


@pytest.mark.parametrize(
    ("fixture", "body"),
    [("key", "pass"), ("keys", "pass"), ("rig", "rig.new_key('any')"), ("rig", "rig.device('real')")],
)
@pytest.mark.parametrize(
    ("marked", "options"),
    [(False, ()), (False, ("--hil-destructive-ok",)), (True, ()), (True, ("--hil-destructive-ok",))],
)
def test_an_attached_key_is_spared(
    pytester: pytest.Pytester, fixture: str, body: str, *, marked: bool, options: tuple[str, ...]
) -> None:
    """Both the file and the command line have to allow it, whichever way the test gets the key."""
    rig = BOTH.replace('serial = "NOT-HERE" } }', 'serial = "NOT-HERE" } }\ndestructive = true') if marked else BOTH
    result = _run(pytester, rig, "hil_destructive", fixture=fixture, body=body, options=options)
    if marked and options:
        result.stdout.fnmatch_lines(["*RigError: real: expected one fido device with serial NOT-HERE, found none*"])
    else:
        result.assert_outcomes(skipped=1)
        result.stdout.fnmatch_lines(["*erases real, for which it wants destructive = true in the rig file*"])


@pytest.mark.parametrize(
    ("fixture", "sentence"),
    [
        ("qr_token", "the rig has too few QR tokens"),
        ("scanner", "the rig has too few scanners"),
        ("verification_server", "the rig file has no server of the mode that was asked for"),
    ],
)
def test_a_fixture_that_the_rig_lacks_is_a_skip(pytester: pytest.Pytester, fixture: str, sentence: str) -> None:
    """No marker is needed for that; with --hil-require it is a failure."""
    result = _run(pytester, BOTH, fixture=fixture)
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines([f"*{sentence}*"])
    result = _run(pytester, BOTH, fixture=fixture, options=("--hil-require",))
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([f"*{sentence}*, and --hil-require asks for every device"])


def test_a_profile_is_skipped_where_all_keys_are_attached(pytester: pytest.Pytester) -> None:
    """There is no emulated one to be like it."""
    result = _run(pytester, f"version = 1\n{REAL}", 'hil_profile("minimal-2.0")')
    result.assert_outcomes(skipped=1)


def test_capabilities_are_those_of_the_key_that_is_lent(pytester: pytest.Pytester) -> None:
    """Not of another entry; of the profile that the test names; with what the file says besides."""
    two = """
        version = 1
        devices.first = { kind = "fido", emulated = {}, capabilities = ["blue"] }
        devices.second = { kind = "fido", emulated = { profile = "u2f-only" } }
    """
    _run(pytester, two, 'hil("fido", caps=["rk", "blue"])').assert_outcomes(passed=1)
    _run(pytester, two, 'hil("fido", caps=["bioEnroll"])').assert_outcomes(skipped=1)
    _run(pytester, two, 'hil("fido", caps=["bioEnroll"])', 'hil_profile("authrig-bio")').assert_outcomes(passed=1)
    result = _run(pytester, BOTH, 'hil("fido", caps=["rk"])')
    result.stdout.fnmatch_lines(["*RigError: real: expected one fido device*"])


def test_what_the_lent_device_cannot_do_is_required_too(pytester: pytest.Pytester) -> None:
    """Of scanners and tokens it is known only then."""
    for kind, fixture in (("scanner", "scanner"), ("qr-token", "qr_token")):
        result = _run(pytester, None, f'hil("{kind}", caps=["wings"])', fixture=fixture)
        result.assert_outcomes(skipped=1)
        result.stdout.fnmatch_lines([f"*wants {kind} with wings, which *"])
        markers = f'hil("{kind}", caps=["wings"])'
        _run(pytester, None, markers, fixture=fixture, options=("--hil-require",)).assert_outcomes(errors=1)


@pytest.mark.parametrize(
    ("marker", "sentence"),
    [
        ('hil_profile("yubikey-9")', "hil_profile: expected one of authrig-2.3, *, found 'yubikey-9'"),
        ('hil("fido", count=True)', "hil: expected count (a number) and caps (a list of words), found *"),
        ('hil("fido", caps=5)', "hil: expected count (a number) and caps (a list of words), found *"),
        ('hil("fido", caps=[["rk"]])', "hil: expected count (a number) and caps (a list of words), found *"),
    ],
)
def test_a_marker_that_is_wrong_ends_the_run(pytester: pytest.Pytester, marker: str, sentence: str) -> None:
    """Before anything runs."""
    result = _run(pytester, None, marker)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*test_it: {sentence}"])
