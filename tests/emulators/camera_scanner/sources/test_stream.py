import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import pytest

from emulators.camera_scanner.frames import CameraStopped, Image, NoSuchCamera
from emulators.camera_scanner.mjpeg import MjpegServer
from emulators.camera_scanner.sources.stream import HttpStream
from emulators.env import SystemClock
from tests.codes import read_patiently


def test_what_is_shown_is_read_at_the_other_end(draw: Callable[..., Image]) -> None:
    """The newest picture first, then each as it is shown; closing the server ends the stream by name."""
    with MjpegServer() as server:
        server.show(draw("old"))
        server.show(draw("one"))
        source = HttpStream(server.url + "stream", SystemClock())
        frames = source.frames()
        assert [read.data for read in read_patiently(next(frames).image)] == [b"one"]
        server.show(draw("two"))
        frame = next(frames)
        assert [read.data for read in read_patiently(frame.image)] == [b"two"]
        assert frame.source == server.url + "stream"
        server.close()
        with pytest.raises(CameraStopped, match="stopped after 2 pictures: it was closed"):
            next(frames)
        source.close()


@contextmanager
def answering(answer: bytes) -> Iterator[str]:
    """A server that says ``answer`` to whoever calls, and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        thread.join()


HEAD = b"HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=x\r\n\r\n"


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (
            b"HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n",
            "expected multipart/x-mixed-replace, found 'text/html'",
        ),
        (b"HTTP/1.0 404 No\r\n\r\n", "cannot be opened: No"),
        (b"hello\r\n\r\n", "cannot be opened"),
        (b"", "cannot be opened"),
    ],
)
def test_what_is_no_stream_is_said_at_once(answer: bytes, sentence: str) -> None:
    """One sentence with the address."""
    with answering(answer) as url, pytest.raises(NoSuchCamera, match=sentence) as error:
        HttpStream(url, SystemClock())
    assert url in str(error.value)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "it was closed"),
        (b"--x\r\nContent-Length: 5\r\n\r\nhello\r\n", "expected a picture, found 5 bytes that are none"),
        (b"--x\r\nContent-Length: 500\r\n\r\nhello", "it broke off within a picture"),
        (b"--x\r\nContent-Length: 99999999999999\r\n\r\n", "expected a picture of at most 33554432 bytes"),
        (b"--x\r\n\r\n\r\n" * 100, "expected a part that tells its length"),
        (b"\xff" * 10_000, ""),
    ],
)
def test_a_stream_that_breaks_or_lies_ends_by_name(body: bytes, why: str) -> None:
    """No picture, half a picture, a gigantic one, none that tells its length."""
    with answering(HEAD + body) as url:
        source = HttpStream(url, SystemClock())
        with pytest.raises(CameraStopped, match=f"stopped after 0 pictures: {why}"):
            next(source.frames())
        source.close()


def test_other_addresses_are_refused() -> None:
    """No files, no ftp, and nobody at home."""
    with pytest.raises(NoSuchCamera, match="begins with http"):
        HttpStream("file:///etc/passwd", SystemClock())
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(NoSuchCamera, match="refused"):
        HttpStream(f"http://127.0.0.1:{port}/", SystemClock())


def test_a_page_of_another_site_cannot_watch() -> None:
    """A name that was pointed at this machine is not answered."""
    with MjpegServer(page="<p>hello</p>") as server:
        server.show(np.zeros((8, 8), np.uint8))
        port = int(server.url.rstrip("/").rpartition(":")[2])
        for host, status in (("evil.example", b"421"), (f"localhost:{port}", b"200"), (f"127.0.0.1:{port}", b"200")):
            with socket.create_connection(("127.0.0.1", port), 5) as connection:
                connection.sendall(f"GET /frame.jpg HTTP/1.0\r\nHost: {host}\r\n\r\n".encode())
                assert connection.recv(12).split()[1] == status
