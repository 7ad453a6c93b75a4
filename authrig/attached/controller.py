"""A rig controller on the network: fingers and power switches by the five URLs that Yubico's device tests know."""

from typing import Literal

import httpx

from authrig.errors import RigError

TIMEOUT_SECONDS = 5.0


class ControlledPort:
    """One port of a controller: the key that is in it.

    Args:
        url: of the controller, with or without a slash at its end.
        port: N of ``/usbN/...``.
    """

    def __init__(self, url: str, port: int) -> None:
        self._url = url.rstrip("/")
        self._port = port

    def check(self) -> None:
        """See whether the controller is there.

        Raises:
            RigError: if it is not.
        """
        self._get("/")

    def touch(self) -> None:
        """Touch the key shortly.

        Raises:
            RigError: if the controller does not answer, or with an error.
        """
        self._act("touch", "on")
        self._act("touch", "off")

    def power_on(self) -> None:
        """Plug the key in.

        Raises:
            RigError: if the controller does not answer, or with an error.
        """
        self._act("power", "on")

    def power_off(self) -> None:
        """Unplug the key.

        Raises:
            RigError: if the controller does not answer, or with an error.
        """
        self._act("power", "off")

    def _act(self, what: Literal["touch", "power"], state: Literal["on", "off"]) -> None:
        self._get(f"/usb{self._port}/{what}/{state}")

    def _get(self, path: str) -> None:
        try:
            response = httpx.get(self._url + path, timeout=TIMEOUT_SECONDS, trust_env=False)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise RigError(f"the controller at {self._url} does not answer GET {path}: {error}") from error
        if not response.is_success:
            raise RigError(f"the controller at {self._url} answered GET {path} with status {response.status_code}")
