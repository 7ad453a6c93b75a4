import pytest

pytest_plugins = ["pytester"]


def test_the_seed_is_printed_and_can_be_given(pytester: pytest.Pytester) -> None:
    """A failed run can be repeated: the header names the seed, and --hil-seed sets it."""
    pytester.makepyfile("def test_nothing(): pass")
    result = pytester.runpytest_subprocess("--hil-seed", "7")
    result.stdout.fnmatch_lines(["authrig: --hil-seed 7"])
    assert result.ret == 0


def test_the_plugin_costs_nothing_until_a_rig_is_asked_for(pytester: pytest.Pytester) -> None:
    """Nobody pays for cv2 and servers because authrig happens to be installed."""
    pytester.makepyfile(
        """
        import sys
        def test_nothing(): assert not {"cv2", "numpy", "starlette", "fido2", "sqlalchemy"} & set(sys.modules)
        """
    )
    pytester.runpytest_subprocess("-p", "no:hypothesispytest").assert_outcomes(passed=1)


def test_a_ten_line_test_with_a_key(pytester: pytest.Pytester) -> None:
    """Registers and reads back with nothing but the fixture: the tutorial's promise."""
    pytester.makepyfile(
        """
        from fido2.ctap2 import Ctap2

        def test_key(key):
            with key.open() as device:
                assert "FIDO_2_3" in Ctap2(device).info.versions

        def test_touch(key, presence):
            with key.open() as device, presence.held_back():
                presence.touch()  # without effect: it does not blink
            with key.open() as device:
                Ctap2(device).selection()
        """
    )
    pytester.runpytest_subprocess().assert_outcomes(passed=2)


def test_two_keys_are_two_and_every_test_has_new_ones(pytester: pytest.Pytester) -> None:
    """``count`` says how many; what one test left on a key, the next does not find."""
    pytester.makepyfile(
        """
        import pytest

        ORIGIN = "https://example.ch"
        OPTIONS = {
            "rp": {"id": "example.ch", "name": "Example"}, "user": {"id": "YQ", "name": "a", "displayName": "a"},
            "challenge": "AAAA", "pubKeyCredParams": [{"type": "public-key", "alg": -7}],
            "authenticatorSelection": {"residentKey": "required"},
        }

        @pytest.mark.hil("fido", count=2)
        def test_two(keys):
            first, second = keys
            made = first.make_credential(ORIGIN, OPTIONS)
            assert made["id"] != second.make_credential(ORIGIN, OPTIONS)["id"]

        def test_new_ones(key):
            from authrig.ports.key import KeyRefused
            with pytest.raises(KeyRefused, match="NO_CREDENTIALS"):
                key.get_assertion(ORIGIN, {"rpId": "example.ch", "challenge": "AAAA"})
        """
    )
    pytester.runpytest_subprocess("--hil-transport", "tcp").assert_outcomes(passed=2)


MARKED = """
    import pytest

    @pytest.mark.hil("fido", caps=["bioEnroll"])
    def test_finger(key): pass

    @pytest.mark.hil("fido", caps=["rk", "FIDO_2_0"])
    def test_resident(key): pass

    @pytest.mark.hil_only("attached")
    def test_real(key): pass

    @pytest.mark.hil_profile("minimal-2.0")
    def test_old(key):
        assert "FIDO_2_3" not in key.capabilities()
"""


def test_a_test_whose_device_is_missing_is_skipped_with_a_sentence(pytester: pytest.Pytester) -> None:
    """It names the capability, or the end, that is missing."""
    pytester.makepyfile(MARKED)
    result = pytester.runpytest_subprocess("-rs", "--hil", "emulated")
    result.assert_outcomes(passed=2, skipped=2)
    result.stdout.fnmatch_lines(["*wants fido with bioEnroll, which key has not"])
    result.stdout.fnmatch_lines(["*runs on attached devices only, and --hil emulated was asked for"])


def test_with_hil_require_a_missing_device_is_a_failure(pytester: pytest.Pytester) -> None:
    """So that CI cannot pass with nothing attached."""
    pytester.makepyfile(MARKED)
    result = pytester.runpytest_subprocess("--hil", "emulated", "--hil-require")
    result.assert_outcomes(passed=2, errors=2)
    result.stdout.fnmatch_lines(
        ["*wants fido with bioEnroll, which key has not, and --hil-require asks for every device"]
    )


@pytest.mark.parametrize(
    ("marker", "sentence"),
    [
        ('hil("yubikey")', "hil: expected one of fido, *found ('yubikey',)"),
        ('hil("fido", caps="rk")', "hil: expected count (a number) and caps (a list of words)*"),
        ('hil("fido", number=2)', "hil: expected count (a number) and caps (a list of words)*"),
        ('hil_only("real")', "hil_only: expected one of emulated, attached, found 'real'"),
        ("hil_profile()", "hil_profile: expected one text, found ()"),
    ],
)
def test_a_marker_that_is_wrong_is_a_usage_error(pytester: pytest.Pytester, marker: str, sentence: str) -> None:
    """Before anything runs, with the name of the test."""
    pytester.makepyfile(f"import pytest\n@pytest.mark.{marker}\ndef test_x(): pass")
    result = pytester.runpytest_subprocess()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*test_x: {sentence}"])


def test_a_marker_that_is_wrong_is_told_by_a_worker_of_xdist(pytester: pytest.Pytester) -> None:
    """Where a usage error would end the run without a word."""
    pytester.makepyfile("import pytest\n@pytest.mark.hil('yubikey')\ndef test_x(): pass\ndef test_y(): pass")
    result = pytester.runpytest_subprocess("-n", "1")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*test_x: hil: expected one of fido, *found ('yubikey',)"])


def test_a_wrong_rig_file_is_a_usage_error(pytester: pytest.Pytester) -> None:
    """With the sentence that `authrig rig check` prints."""
    pytester.makepyfile("def test_x(rig): pass")
    rig_file = pytester.path / "rig.toml"
    rig_file.write_text("version = 2\n")
    result = pytester.runpytest_subprocess("--rig", str(rig_file))
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: the rig file *rig.toml is wrong: version: expected 1, found 2"])


def test_evidence_of_a_failed_test_is_kept(pytester: pytest.Pytester) -> None:
    """And named in the report; that of one that passed is not."""
    pytester.makepyfile(
        """
        def test_good(key): key.exhibit_traffic()

        def test_bad(key, evidence):
            with key.open() as device: device.call(0x01, b"ping")
            key.exhibit_traffic()
            evidence.expect("what was seen", "one thing", "another")
        """
    )
    result = pytester.runpytest_subprocess("--hil-artifacts", "kept")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*evidence: kept*test_bad*"])
    (folder,) = (pytester.path / "kept").iterdir()
    assert "PING" in (folder / "events.jsonl").read_text()
    assert "another" in (folder / "steps.json").read_text()


def test_time_is_let_pass_for_what_is_emulated(pytester: pytest.Pytester) -> None:
    """A challenge of the server is too old after an hour that took no time."""
    pytester.makepyfile(
        """
        def test_clock(clock, key):
            before = clock.monotonic()
            clock.advance(3600)
            assert 3600 <= clock.monotonic() - before < 3700
            assert key.capabilities()
        """
    )
    pytester.runpytest_subprocess().assert_outcomes(passed=1)


def test_workers_of_xdist_share_the_seed(pytester: pytest.Pytester) -> None:
    """Emulated devices are unlimited, so each worker has its own."""
    pytester.makepyfile(
        """
        import pytest
        @pytest.mark.parametrize("n", range(4))
        def test_key(key, n): assert key.capabilities()
        """
    )
    pytester.runpytest_subprocess("-n", "2", "--hil-seed", "7").assert_outcomes(passed=4)
