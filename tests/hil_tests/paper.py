"""An e-paper panel in front of a device: whoever puts a PNG to its address has it shown."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

from authrig.pictures import picture_from_png
from emulators.camera_scanner.frames import Image


@contextmanager
def paper(shows: Callable[[Image], object]) -> Iterator[str]:
    """The address to which pictures are put; ``shows`` gets each."""

    class Panel(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            shows(picture_from_png(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Panel) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()
