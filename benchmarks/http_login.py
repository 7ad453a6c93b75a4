"""Logins over HTTP, each beside the least that the same stack can do: bare ASGI echoes by uvicorn in a process of its own."""

import asyncio
import itertools
import json
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from benchmarks.harness import Measurement, Row
from benchmarks.http_people import AUTHENTICATION, ECDSA, PASSWORD, Person
from benchmarks.lean_http import Line, echo_process, server_process
from server_stub.settings import Argon2Cost

ROUNDS = 100
TAIL_TARGET = 5.0
LOGINS = 20
"""How many whole logins, with a password of full cost, are timed."""
CONNECTIONS = 32
LOGINS_OF_EACH = 25
BODY = b'{"padding":"' + b"x" * 300 + b'"}'


@contextmanager
def rows() -> Iterator[list[Row]]:
    """FIDO and offline QR, what is asked before them left out; and a whole login beside the Argon2id of its password."""
    with ExitStack() as stack:
        server = stack.enter_context(server_process(cheap_passwords=True))
        echo = Line(stack.enter_context(echo_process()))
        stack.callback(echo.close)
        signer = ec.generate_private_key(ec.SECP256R1())
        public, message = signer.public_key(), bytes(69)
        signature = signer.sign(message, ECDSA)

        def two_echoes() -> None:
            echo.post("/", BODY)
            echo.post("/", BODY)

        def verify_and_two_echoes() -> None:
            public.verify(signature, message, ECDSA)
            two_echoes()

        # What is asked before is not timed: the login by key finds a session that was brought to its step.
        number = itertools.count()
        people = [Person(server, f"fido{next(number)}") for _ in range(ROUNDS + 1)]
        keys = [_at_the_key(person) for person in people]
        checks = _Checks(Person(server, "code"))
        dear = stack.enter_context(server_process())
        person = Person(dear, "dear")

        def log_in() -> None:
            person.line.cookie = ""
            at_the_code(person)()

        yield [
            Row(
                "HTTP login by FIDO key",
                "a P-256 verify, two echoes",
                _each(keys),
                verify_and_two_echoes,
                4,
                1,
                ROUNDS,
                # The server's side: not what the key takes to sign between the two requests.
                lambda: sum(person.line.waited for person in people),
            ),
            Row("HTTP check of an offline QR code", "two echoes", checks, two_echoes, 3, 1, ROUNDS, checks.clock),
            Row(
                "HTTP login, password and offline QR", "Argon2id of its password", log_in, _hash_password, 2, 1, LOGINS
            ),
        ]


def _each(prepared: list[Callable[[], object]]) -> Callable[[], object]:
    """Runs the next of what is prepared at each call."""

    def call() -> object:
        ready = prepared.pop()
        return ready()

    return call


class _Checks:
    """Logs in at each call; its clock counts how long the server takes to check the code, and nothing before."""

    def __init__(self, person: Person) -> None:
        self._person, self._waited = person, 0.0

    def __call__(self) -> None:
        self._person.line.cookie = ""
        check = at_the_code(self._person)
        before = self._person.line.waited
        check()
        self._waited += self._person.line.waited - before

    def clock(self) -> float:
        """Seconds of all checks so far."""
        return self._waited


def _at_the_key(person: Person) -> Callable[[], object]:
    person.line.cookie = ""
    person.begin("lounge", password=False)
    return person.fido


def at_the_code(person: Person) -> Callable[[], object]:
    """Bring a login to the token's code; what is returned types it."""
    person.begin("ebanking", password=True)
    body = person.ask_qr()
    return lambda: person.answer_qr(body)


def _hash_password() -> bytes:
    cost = Argon2Cost()
    argon2 = Argon2id(
        salt=bytes(16), length=32, iterations=cost.iterations, lanes=cost.lanes, memory_cost=cost.memory_kib
    )
    return argon2.derive(PASSWORD.encode())


def tail() -> tuple[float, float]:
    """Median and 99th percentile (seconds) of logins by key on 32 connections, each as fast as it is answered.

    As in the row above, a login is its two requests, and what is timed is the server's side.
    """
    with server_process(cheap_passwords=True) as server:
        people = [Person(server, f"p99-{number}") for number in range(CONNECTIONS)]
        for person in people:
            person.line.close()
        times = sorted(asyncio.run(_log_in_all(server.public, people)))
    return statistics.median(times), times[len(times) * 99 // 100]


def tail_measurement() -> Measurement:
    """``tail`` as a row: how far the slowest percent is from what is usual."""
    median, slow = tail()
    ratio = slow / median
    name = f"HTTP login by FIDO key, 99th percentile at {CONNECTIONS} connections"
    return Measurement(name, "their median", ratio, TAIL_TARGET, (ratio, ratio), slow * 1e6, median * 1e6)


async def _log_in_all(url: str, people: list[Person]) -> list[float]:
    address = urlsplit(url)

    async def one(person: Person) -> list[float]:
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        line = _AsyncLine(person.line, reader, writer)
        times = []
        for _ in range(LOGINS_OF_EACH):
            person.line.cookie = ""
            await line.post(f"{AUTHENTICATION}/applications/lounge/access/", b"{}")
            line.waited = 0.0
            challenge = json.loads(await line.post(f"{AUTHENTICATION}/fido/challenge/retrieve/", b"{}"))
            body = person.key.assertion(challenge["data"]["attributes"]["publicKey"]["challenge"])
            answer = json.loads(await line.post(f"{AUTHENTICATION}/fido/assertion/check/", body))
            assert answer["data"]["attributes"]["nextAuthStep"] is None, answer
            times.append(line.waited)
        writer.close()
        return times

    return [each for times in await asyncio.gather(*map(one, people)) for each in times]


class _AsyncLine:
    """A person's line, when 32 of them wait at once."""

    def __init__(self, line: Line, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._line, self._reader, self._writer = line, reader, writer
        self.waited = 0.0

    async def post(self, path: str, body: bytes) -> bytes:
        request = self._line.request(path, body, "")
        begun = time.perf_counter()
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        answer = await self._reader.readexactly(self._line.length_in(head))
        self.waited += time.perf_counter() - begun
        return answer


if __name__ == "__main__":
    middle, last = tail()
    print(f"{CONNECTIONS} connections: median {middle * 1e3:.1f} ms, p99 {last * 1e3:.1f} ms, {last / middle:.1f}x")
