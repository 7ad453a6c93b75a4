import dataclasses

import pytest

from emulators.hwtoken.memory import TokenMemory
from emulators.hwtoken.screens import Error, ErrorKind, Idle, Review, Screen, Typing
from offline_qr import otq1
from tests.emulators.hwtoken.token_bench import KEYS, SEED, SERIAL, Bench

CODE = otq1.make_activation_code("1234567890123456")
OTHER_CODE = otq1.make_activation_code("9999999999999999")
ACCOUNT = otq1.Account("Bank of Tests")
SALT = bytes(range(16))


def kind_of(screen: Screen) -> ErrorKind:
    """Which error is on the panel."""
    assert isinstance(screen, Error), screen
    return screen.kind


def new_bench() -> Bench:
    """A token that was never activated."""
    memory = TokenMemory()
    memory.manufacture(SERIAL)
    return Bench("qr-reader-keypad", memory).set_pin()


def by_code(bench: Bench) -> otq1.Activation:
    """An activation under profile C."""
    return otq1.activate_by_code(bench.header(otq1.MessageType.ACTIVATION), SERIAL, CODE, SALT, ACCOUNT)


def test_a_token_that_is_not_activated_says_so() -> None:
    """And takes no challenge."""
    bench = new_bench()
    idle = bench.screen()
    assert isinstance(idle, Idle)
    assert idle.note == "Not activated"
    assert kind_of(bench.scan(bench.challenge())) is ErrorKind.UNSUPPORTED


def test_a_letter_activates_a_token_once() -> None:
    """Then it answers challenges under the new seed, and refuses another activation until it is wiped."""
    bench = new_bench()
    activation = by_code(bench)
    text = otq1.encode_activation(activation)
    bench.scan(text)
    review = bench.type(CODE)
    assert isinstance(review, Review)
    assert "Bank of Tests" in [line.text for line in review.lines]
    bench.confirm()
    assert bench.code() == activation.compute_code()
    bench.ok()
    challenge = bench.challenge()
    bench.scan(otq1.encode(challenge, activation.keys))
    bench.confirm()
    assert bench.code() == otq1.compute_code(challenge, activation.keys)
    bench.ok()
    assert kind_of(bench.scan(text)) is ErrorKind.ALREADY_DONE


def test_five_wrong_letters_end_it() -> None:
    """A slip of the finger costs nothing, another code costs a try; restarting gives none back."""
    bench = new_bench()
    text = otq1.encode_activation(by_code(bench))
    bench.scan(text)
    assert kind_of(bench.type(CODE[:-1] + str((int(CODE[-1]) + 1) % 10))) is ErrorKind.WRONG_ACTIVATION_CODE
    assert bench.memory.contents.code_tries_spent == 0
    for spent in range(1, 6):
        bench.restart()
        bench.scan(text)
        assert kind_of(bench.type(OTHER_CODE)) is ErrorKind.WRONG_ACTIVATION_CODE
        assert bench.memory.contents.code_tries_spent == spent
    bench.restart()
    bench.scan(text)
    gone = bench.type(CODE)
    assert isinstance(gone, Error)
    assert gone.sentence == "Too many wrong codes. Reset this token."


@pytest.mark.parametrize("command", [None, otq1.Command.WIPE])
def test_an_order_is_obeyed_once(command: otq1.Command | None) -> None:
    """The same sequence again, or a lower one, is refused, after a restart too."""
    bench = Bench().set_pin()
    first = bench.admin(5, otq1.Command.COUNTER_SYNC, 100)
    bench.scan(first)
    bench.confirm()
    assert bench.code() == otq1.compute_admin_code(first, KEYS)
    bench.restart()
    assert kind_of(bench.scan(first)) is ErrorKind.ALREADY_DONE
    bench.restart()
    if command is None:
        again = bench.scan(bench.admin(5, otq1.Command.COUNTER_SYNC, 200))
    else:
        again = bench.scan(bench.admin(4, command))
    assert kind_of(again) is ErrorKind.ALREADY_DONE
    assert (bench.memory.contents.counter, bench.memory.contents.sequence) == (100, 5)


def test_an_old_order_has_ended_whether_or_not_it_was_obeyed() -> None:
    """Its time is looked at before its sequence: step 16 of the page before step 17."""
    bench = Bench().set_pin()
    bench.memory.update(sequence=5)
    order = bench.admin(5, otq1.Command.COUNTER_SYNC, 100)
    old = dataclasses.replace(order, header=dataclasses.replace(order.header, issued_at=order.header.issued_at - 3600))
    assert kind_of(bench.scan(old)) is ErrorKind.EXPIRED
    assert kind_of(bench.scan(order)) is ErrorKind.ALREADY_DONE


def test_a_counter_never_goes_back() -> None:
    """Else an old code would be good again."""
    bench = Bench().set_pin()
    bench.memory.update(counter=50)
    assert kind_of(bench.scan(bench.admin(1, otq1.Command.COUNTER_SYNC, 49))) is ErrorKind.ALREADY_DONE


def test_a_counter_that_ran_ahead_is_found_with_two_codes() -> None:
    """The user pressed on in the bus; the server looks further when it gets two codes in a row."""
    bench = Bench().set_pin()
    bench.memory.update(counter=300)
    answers = []
    for _ in range(2):
        challenge = bench.challenge(suite=3)
        bench.scan(challenge)
        bench.confirm()
        answers.append((challenge, bench.code()))
        bench.ok()
    assert otq1.judge(*_judged(answers[0])).verdict is otq1.Verdict.WRONG
    assert otq1.resynchronise(answers[0], answers[1], KEYS, 0) == 302


def _judged(answer: tuple[otq1.Challenge, str]) -> tuple[otq1.Challenge, otq1.Keys, str, list[otq1.Inputs]]:
    return answer[0], KEYS, answer[1], otq1.counter_candidates(0)


def test_a_clock_that_is_wrong_is_set() -> None:
    """Challenges of now look too old or too new to the token, until the server sets its clock."""
    bench = Bench().set_pin()
    bench.token.clock.jump(10_000)
    assert kind_of(bench.scan(bench.challenge())) is ErrorKind.EXPIRED
    bench.restart()
    bench.scan(bench.admin(1, otq1.Command.CLOCK_SYNC))
    bench.confirm()
    bench.ok()
    assert isinstance(bench.scan(bench.challenge()), Review)


def test_a_clock_that_stopped_shows_times_and_leaves_out_the_time_suite() -> None:
    """As a model without one; the server can set it again."""
    bench = Bench().set_pin()
    bench.token.clock.lose()
    review = bench.scan(bench.challenge())
    assert isinstance(review, Review)
    assert review.lines[0].text == "Issued"
    bench.restart()
    assert kind_of(bench.scan(bench.challenge(suite=5))) is ErrorKind.UNSUPPORTED
    bench.restart()
    bench.scan(bench.admin(1, otq1.Command.CLOCK_SYNC))
    bench.confirm()
    bench.ok()
    assert isinstance(bench.scan(bench.challenge(suite=5)), Review)


def test_a_wiped_token_has_no_keys_left() -> None:
    """It reports the wipe with its last code, and asks for a new PIN."""
    bench = Bench().set_pin()
    wipe = bench.admin(1, otq1.Command.WIPE)
    bench.scan(wipe)
    bench.confirm()
    assert bench.code() == otq1.compute_admin_code(wipe, KEYS)
    assert bench.memory.identity is None
    assert isinstance(bench.ok(), Typing)
    bench.memory.provision(SERIAL, SEED)
    assert bench.memory.identity is not None
