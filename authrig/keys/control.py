"""Drives ports over HTTP, with the calls of the rig that Yubico's device tests know.

``GET /`` describes the ports as JSON; ``GET /usbN/touch/on|off`` and ``GET /usbN/power/on|off`` act on port N, counted
from 1. It listens on loopback only, and a web page that someone has open cannot use it.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict
from http import HTTPStatus

from authrig.errors import RigError
from authrig.keys.port import Port
from authrig.loopback import FROM_A_PAGE, LoopbackHandler, LoopbackServer

_ACTION = re.compile(r"/usb([1-9][0-9]{0,3})/(touch|power)/(on|off)")
_ACTIONS: Mapping[tuple[str, str], Callable[[Port], object]] = {
    ("touch", "on"): Port.touch_on,
    ("touch", "off"): Port.touch_off,
    ("power", "on"): Port.power_on,
    ("power", "off"): Port.power_off,
}


class ControlServer(LoopbackServer[Mapping[int, Port]]):
    """Serves ``ports`` (by their numbers) on 127.0.0.1 while in a ``with`` block; ``tcp_port`` 0 takes a free one.

    Raises:
        RigError: if the TCP port is taken, or none.
    """

    def __init__(self, ports: Mapping[int, Port], tcp_port: int = 0) -> None:
        super().__init__(ports, _Handler, tcp_port)


class _Handler(LoopbackHandler[Mapping[int, Port]]):
    def do_GET(self) -> None:  # noqa: N802 - the name is http.server's
        if not self.is_from_here:
            self._answer(HTTPStatus.FORBIDDEN, {"error": FROM_A_PAGE})
        elif self.path == "/":
            ports = [{"port": number, **asdict(port.status)} for number, port in sorted(self.server.served.items())]
            self._answer(HTTPStatus.OK, {"ports": ports})
        elif (action := _ACTION.fullmatch(self.path)) is None:
            self._answer(HTTPStatus.NOT_FOUND, {"error": f"expected /usbN/touch|power/on|off, found {self.path}"})
        elif (port := self.server.served.get(int(action[1]))) is None:
            known = ", ".join(f"usb{number}" for number in sorted(self.server.served))
            self._answer(HTTPStatus.NOT_FOUND, {"error": f"expected one of {known}, found usb{action[1]}"})
        else:
            self._act(int(action[1]), port, _ACTIONS[action[2], action[3]])

    def _act(self, number: int, port: Port, action: Callable[[Port], object]) -> None:
        try:
            action(port)
        except RigError as error:
            self._answer(HTTPStatus.INTERNAL_SERVER_ERROR, {"error": str(error)})
        else:
            self._answer(HTTPStatus.OK, {"port": number, **asdict(port.status)})

    def _answer(self, status: HTTPStatus, body: dict[str, object]) -> None:
        self.answer(status, "application/json", json.dumps(body).encode() + b"\n")
