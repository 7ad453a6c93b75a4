"""The table of the administration's pages, by the role that may see them."""

from starlette.applications import Starlette

from server_stub.api.admin_routes import MAX_TOKEN_FILE
from server_stub.iam import Iam
from server_stub.web.admin import audit, badges, entrance, policies, tokens, users
from server_stub.web.admin.entrance import HOME, LOGIN, AdminHandler, admin_form, admin_page
from server_stub.web.serving import add_pages
from server_stub.web.visit import PageRoute

USER, TOKEN, BADGES_OF = f"{users.PATH}/{{username}}", f"{tokens.PATH}/{{device}}", f"{badges.PATH}/{{username}}"
MACHINE_PATHS = ("/admin/rest/", "/transaction-approval/")


def _user(path: str, handler: AdminHandler) -> PageRoute:
    return admin_form(f"{USER}/{path}", handler, "users", back=USER)


def _token(path: str, handler: AdminHandler) -> PageRoute:
    return admin_form(f"{TOKEN}/{path}", handler, "users", back=TOKEN)


def _void(path: str, handler: AdminHandler, back: str) -> PageRoute:
    return admin_form(path, handler, "badges", back=back)


ADMIN_PAGES = (
    PageRoute("GET", "/", entrance.lead_home),
    PageRoute("GET", LOGIN, entrance.show),
    PageRoute("POST", LOGIN, entrance.sign_in, bound=False, back=LOGIN),
    admin_page(HOME, entrance.home, None),
    admin_form(f"{HOME}logout", entrance.sign_out, None, back=HOME),
    admin_page(users.PATH, users.search, "users"),
    admin_form(users.PATH, users.add, "users", back=users.PATH),
    admin_page(USER, users.show, "users"),
    _user("password", users.set_password),
    _user("name", users.rename),
    _user("groups", users.set_groups),
    _user("unlock", users.unlock),
    _user("tokens", users.assign),
    _user("letter", users.write_letter),
    admin_page(users.LOCKOUTS, users.list_lockouts, "users"),
    admin_page(tokens.PATH, tokens.show_stock, "users"),
    # A file as a field of a form is up to three times as long as it is.
    admin_form(tokens.PATH, tokens.import_file, "users", back=tokens.PATH, body_limit=3 * MAX_TOKEN_FILE),
    admin_page(TOKEN, tokens.show, "users"),
    _token("state", tokens.set_state),
    _token("letter", tokens.write_letter),
    _token("users", tokens.assign),
    _token("users/{username}/remove", tokens.unassign),
    _token("users/{username}/unlock", tokens.unlock),
    _token("users/{username}/resync", tokens.resync),
    admin_page(badges.PATH, badges.show, "badges"),
    admin_form(badges.PATH, badges.print_badges, "badges", back=badges.PATH),
    admin_page(BADGES_OF, badges.show_user, "badges"),
    _void(f"{BADGES_OF}/{{badge}}/void", badges.void, BADGES_OF),
    _void(f"{BADGES_OF}/void", badges.void_all, BADGES_OF),
    _void(f"{badges.PATH}/void", badges.void_everybodys, badges.PATH),
    admin_page(policies.PATH, policies.show, "policies"),
    admin_page(policies.EXPLAIN, policies.explain, "policies"),
    admin_page(audit.PATH, audit.show, "audit"),
)


def add_admin_pages(app: Starlette, iam: Iam) -> None:
    """Let the internal application serve the administration's pages too."""
    add_pages(app, iam, ADMIN_PAGES, MACHINE_PATHS, entrance.SITE)
