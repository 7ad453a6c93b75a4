"""The table of all pages."""

from urllib.parse import urlsplit

from server_stub.iam import Iam
from server_stub.web.pages import (
    application,
    badge,
    devices,
    home,
    key,
    login,
    offline_qr,
    own_app,
    provider,
    push,
    self_service,
    shop,
    ticket,
)
from server_stub.web.visit import PageHandler, PageRoute

LOGIN = "/login/{application}"
SELF_SERVICE = self_service.PATH


def _post(path: str, handler: PageHandler, *, back: str, bound: bool = True) -> PageRoute:
    return PageRoute("POST", path, handler, bound, back)


def _step(path: str, handler: PageHandler, *, bound: bool = True) -> PageRoute:
    return _post(f"{LOGIN}/{path}", handler, back=LOGIN, bound=bound)


def _own(path: str, handler: PageHandler) -> PageRoute:
    return _post(f"{SELF_SERVICE}{path}", handler, back=SELF_SERVICE)


def _approval(path: str, handler: PageHandler) -> PageRoute:
    return _post(f"{shop.APPROVAL}/{path}", handler, back=shop.APPROVAL)


_PAGES = (
    PageRoute("GET", "/", home.show),
    PageRoute("GET", LOGIN, login.show),
    _step("password", login.check_password, bound=False),
    _step("username", login.check_username, bound=False),
    _step("device-token", login.check_device_token, bound=False),
    PageRoute("GET", f"{LOGIN}/ticket", ticket.show),
    _step("ticket", ticket.check, bound=False),
    _step("provider", provider.choose, bound=False),
    PageRoute("GET", f"{LOGIN}/provider/{{provider}}", provider.leave, back=LOGIN),
    PageRoute("GET", f"{provider.PATH}/start", provider.start),
    PageRoute("GET", f"{provider.PATH}/callback", provider.come_back),
    PageRoute("GET", f"{provider.PATH}/finish", provider.finish),
    _step("second-password", login.check_second_password),
    PageRoute("GET", f"{LOGIN}/devices", devices.choose_again, back=LOGIN),
    _step("devices", devices.select),
    _step("offline-qr", offline_qr.retrieve),
    _step("code", offline_qr.check),
    _step("push", push.check),
    PageRoute("GET", f"{LOGIN}/key", key.instead, back=LOGIN),
    PageRoute("GET", f"{LOGIN}/badge", badge.show),
    _post(f"{LOGIN}/badge", badge.check, back=f"{LOGIN}/badge", bound=False),
    _step("restart", login.restart, bound=False),
    _post("/logout", login.log_out, back="/"),
    PageRoute("GET", SELF_SERVICE, self_service.show),
    _own("keys/{credential}/rename", self_service.rename_key),
    _own("keys/{credential}/remove", self_service.remove_key),
    _own("tokens", self_service.activate_token),
    _own("tokens/{token}/rename", self_service.rename_token),
    _own("tokens/{token}/remove", self_service.give_back_token),
    PageRoute("GET", own_app.PATH, own_app.show, back=SELF_SERVICE),
    _own("app", own_app.begin),
    _post(f"{own_app.PATH}/check", own_app.check, back=SELF_SERVICE),
    _own("browsers", self_service.remember_browser),
    _own("browsers/{device}/forget", self_service.forget_browser),
    PageRoute("GET", shop.PATH, shop.show),
    _post(f"{shop.PATH}{{invoice}}/pay", shop.pay, back=shop.PATH),
    PageRoute("GET", f"{shop.PATH}{{invoice}}/devices", shop.choose_device, back=shop.PATH),
    PageRoute("GET", shop.APPROVAL, shop.approve, back=shop.PATH),
    _approval("code", shop.check),
    _approval("key", shop.check_key),
    _approval("push", shop.poll),
    _approval("offline-qr", shop.go_offline),
)


def page_table(iam: Iam) -> tuple[PageRoute, ...]:
    """All pages, and one for each application's target on this server that nothing else answers."""
    taken = {row.path for row in _PAGES}
    rows: dict[str, PageRoute] = {}
    for name, row in iam.policies.applications.items():
        for path in sorted({urlsplit(target).path for target in (row.target, *row.targets)}):
            if path not in taken and "{" not in path:
                rows.setdefault(path, PageRoute("GET", path, application.page_of(name)))
    return (*_PAGES, *rows.values())
