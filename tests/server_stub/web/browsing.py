"""A browser without script, for the tests of pages: it reads forms and sends them."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Literal
from urllib.parse import urlencode, urljoin

import httpx

from tests.server_stub.world import NO_TLS, PASSWORD, World


@dataclass
class Form:
    """A form on a page."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)


class Reader(HTMLParser):
    """What a test looks for in a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the element, and the form that it belongs to."""
        given = {name: value or "" for name, value in attrs}
        self.elements.append((tag, given))
        if tag == "form":
            self.forms.append(Form(given.get("action", "")))
        chosen = given.get("type") not in {"radio", "checkbox"} or "checked" in given
        if tag == "input" and self.forms and "name" in given and chosen:
            self.forms[-1].fields[given["name"]] = given.get("value", "")

    def handle_data(self, data: str) -> None:
        """Note the words."""
        self.words.append(data)

    @property
    def text(self) -> str:
        """All words of the page."""
        return " ".join(" ".join(self.words).split())


class Visitor:
    """Someone at a browser that runs no script."""

    def __init__(self, world: World, port: Literal["public", "internal"] = "public", /, **headers: str) -> None:
        url = world.server.public_url if port == "public" else world.server.internal_url
        client = httpx.Client(verify=NO_TLS, base_url=url, headers={"Accept": "text/html", **headers})
        self.client = world._stack.enter_context(client)
        self.response: httpx.Response | None = None

    @property
    def page(self) -> Reader:
        """The page that is open."""
        assert self.response is not None
        return Reader(self.response.text)

    @property
    def path(self) -> str:
        """The path of the page that is open."""
        assert self.response is not None
        return self.response.url.path

    @property
    def error(self) -> str:
        """Why the last form was refused, as the open page tells it."""
        assert self.response is not None
        found = re.search(r'<div class="notice bad" role="alert"(?: id="error")?><p>(.*?)</p>', self.response.text)
        return found[1] if found else ""

    def open(self, path: str) -> httpx.Response:
        """Follow a link, and where it leads."""
        return self._follow(self.client.get(path))

    def send(self, action: str, **typed: str) -> httpx.Response:
        """Fill in the form of the open page whose action ends so, and send it."""
        form = next(each for each in self.page.forms if each.action.endswith(action))
        return self.post(form.action, form.fields | typed)

    def post(self, path: str, fields: dict[str, str]) -> httpx.Response:
        """Send a form as a page of this server does."""
        origin = str(self.client.base_url).rstrip("/")
        headers = {"Origin": origin, "Content-Type": "application/x-www-form-urlencoded"}
        return self._follow(self.client.post(path, content=urlencode(fields), headers=headers))

    def log_in(self, application: str, name: str, password: str = PASSWORD) -> httpx.Response:
        """Open the login page and type name and password."""
        self.open(f"/login/{application}")
        return self.send("/password", username=name, password=password)

    def _follow(self, response: httpx.Response) -> httpx.Response:
        while response.status_code == 303:
            response = self.client.get(urljoin(str(response.url), response.headers["location"]))
        self.response = response
        return response
