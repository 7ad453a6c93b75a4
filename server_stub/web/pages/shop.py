"""A demo shop: invoices, and the payment of one, approved on a token, an app or with a key.

It stands for a business application: it does what one would do over the internal REST, in the name of who is logged in.
"""

from dataclasses import dataclass

import msgspec

from server_stub.api.second_factor import refuse_locked
from server_stub.api.transaction_approval import COOKIE
from server_stub.errors import ApiError, bad_request, unexpected_call
from server_stub.factors.offline_qr import group_account, group_amount
from server_stub.sessions import Session
from server_stub.store import approvals
from server_stub.store.approvals import (
    DENIED,
    FIDO_RESPONSE_REQUIRED,
    FIDO_RETRIEVAL_REQUIRED,
    OTP_REQUIRED,
    POLLING_REQUIRED,
    Approval,
)
from server_stub.web import qr_picture, sealed
from server_stub.web.pages.offline_qr import typed_code
from server_stub.web.visit import Answer, Page, Redirect, Visit

PATH = "/shop/"
APPROVAL = f"{PATH}approval"
FLOW = "payment"
METHODS = ("AIRLOCK_2FA", "FIDO")
"""What may be wanted in place of one device."""
TILL = "authrig_till"
"""The cookie with what is paid: this shop keeps no books."""
TILL_LIFETIME = 86400


@dataclass(frozen=True, slots=True)
class Invoice:
    """What is to be paid, and to whom."""

    number: str
    amount: str
    currency: str
    account: str
    beneficiary: str

    @property
    def shown_amount(self) -> str:
        """As a token shows it."""
        return f"{self.currency} {group_amount(self.amount)}"

    @property
    def shown_account(self) -> str:
        """As a token shows it."""
        return group_account(self.account)

    def parameters(self) -> dict[str, str]:
        """What is to be approved."""
        return {
            "amount": self.amount,
            "currency": self.currency,
            "account": self.account,
            "beneficiary": self.beneficiary,
            "reference": self.number,
        }


INVOICES = {
    each.number: each
    for each in (
        Invoice("2026-001", "49.90", "CHF", "CH9300762011623852957", "Velo Müller GmbH"),
        Invoice("2026-002", "1250.00", "CHF", "CH5604835012345678009", "Atelier Rossi"),
        Invoice("2026-003", "17.50", "EUR", "DE89370400440532013000", "Bücher & Mehr"),
    )
}


async def show(visit: Visit) -> Answer:
    """The invoices of who is logged in."""
    session = await visit.session()
    if session is None or session.authenticated_at is None:
        return Page("shop_closed.html", {"applications": visit.iam.policies.applications}, 401)
    return _list(visit, session)


async def pay(visit: Visit) -> Answer:
    """Ask for the approval of an invoice; what is to be approved is in the server from now on, not on a page."""
    session, invoice = await _require(visit), _invoice(visit)
    assert session.user_id is not None
    if invoice.number in _till(visit, session.user_id):
        raise unexpected_call("the invoice is paid already")
    body: dict[str, object] = {"messageParameters": invoice.parameters()}
    wanted = visit.form.get("device", "")
    if wanted in METHODS:
        body["method"] = wanted
    elif wanted:
        body["authTokenId"] = wanted
    await visit.rest("transaction_approval.select_flow", flow=FLOW)
    await visit.rest("transaction_approval.identify_user", {"username": session.username})
    try:
        await visit.rest("transaction_approval.set_parameters", body)
    except ApiError as error:
        if error.code != "AIRLOCK_2FA_DEVICE_CHOICE_REQUIRED":
            raise
        return Redirect(f"{PATH}{invoice.number}/devices")
    return Redirect(APPROVAL)


async def approve(visit: Visit) -> Answer:
    """Where the approval stands, and what comes next."""
    session = await visit.session()
    approval = await _load(visit)
    if session is None or session.authenticated_at is None or approval is None or approval.user_id != session.user_id:
        return Redirect(PATH)
    if approval.step is None:
        return _paid(visit, approval)
    invoice = INVOICES.get((approval.transaction or {}).get("reference", ""))
    if invoice is None or approval.step == DENIED:
        raise ApiError(403, "TRANSACTION_DENIED", "the payment was refused on the device")
    values: dict[str, object] = {"invoice": invoice}
    if approval.step in {FIDO_RETRIEVAL_REQUIRED, FIDO_RESPONSE_REQUIRED}:
        values |= await _about_key(visit, session)
        return Page("shop_key.html", values)
    values["with_key"] = await _with_key(visit)
    if approval.step == POLLING_REQUIRED:
        if approval.push_id is None:
            await visit.rest("transaction_approval.poll_status")
        return Page("shop_push.html", values | {"waiting": "waiting" in visit.query})
    assert approval.user_id is not None
    await refuse_locked(visit.iam, approval.user_id)
    known = qr_picture.recall(visit, approval.challenge_id) if approval.step == OTP_REQUIRED else None
    shown = known or await _fresh(visit)
    return Page("shop_qr.html", values | await qr_picture.values(visit, shown))


async def _about_key(visit: Visit, session: Session) -> dict[str, object]:
    """A challenge for the payment, and whether there is another way; who has a key can pay while the cloud is silent."""
    asked = await visit.rest("approval_fido.retrieve_challenge")
    try:
        devices = await _devices(visit, session)
    except ApiError as error:
        if error.code != "AIRLOCK_2FA_UNAVAILABLE":
            raise
        devices = []
    return {"options": msgspec.json.encode(asked.data.attributes.public_key).decode(), "devices": devices}


async def check(visit: Visit) -> Answer:
    """The code that the token shows for this payment."""
    await _own(visit)
    await visit.rest("transaction_approval.check_otp", {"otp": typed_code(visit)})
    return Redirect(APPROVAL)


async def check_key(visit: Visit) -> Answer:
    """The answer of a key for this payment."""
    await _own(visit)
    try:
        credential = msgspec.json.decode(visit.form.get("credential", ""))
    except msgspec.DecodeError as error:
        raise bad_request("the key's answer is no JSON") from error
    await visit.rest("approval_fido.check_assertion", {"credential": credential})
    return Redirect(APPROVAL)


async def poll(visit: Visit) -> Answer:
    """Whether the app was answered."""
    await _own(visit)
    document = await visit.rest("transaction_approval.poll_status")
    waits = document.data.attributes.next_step == POLLING_REQUIRED
    return Redirect(f"{APPROVAL}?waiting" if waits else APPROVAL)


async def go_offline(visit: Visit) -> Answer:
    """A new QR code: the app has no connection, or the old code is over."""
    await _own(visit)
    await _fresh(visit)
    return Redirect(APPROVAL)


async def _fresh(visit: Visit) -> qr_picture.Shown:
    document = await visit.rest("transaction_approval.retrieve_offline_qr_code", {"image": False})
    approval = await _load(visit)
    return qr_picture.remember(visit, approval.challenge_id if approval else None, document)


def _paid(visit: Visit, approval: Approval) -> Answer:
    number = (approval.transaction or {}).get("reference", "")
    assert approval.user_id is not None
    till = sorted(_till(visit, approval.user_id) | {number})
    sealed.keep(visit, TILL, approval.user_id.hex(), " ".join(till).encode(), TILL_LIFETIME)
    return Redirect(f"{PATH}?paid={number}")


def _till(visit: Visit, user_id: bytes) -> set[str]:
    """The numbers of the invoices that the user has paid."""
    return set((sealed.kept(visit, TILL, user_id.hex()) or b"").decode().split())


def _list(visit: Visit, session: Session) -> Page:
    assert session.user_id is not None
    paid = _till(visit, session.user_id)
    just_now = visit.query.get("paid", "")
    values = {
        "username": session.username,
        "invoices": [(each, each.number in paid) for each in INVOICES.values()],
        "paid": just_now if just_now in paid else None,
    }
    return Page("shop.html", values)


async def choose_device(visit: Visit) -> Answer:
    """Which device approves the payment, for who has several."""
    session = await _require(visit)
    assert session.user_id is not None
    values = {"invoice": _invoice(visit), "devices": await _devices(visit, session), "with_key": await _with_key(visit)}
    return Page("shop_devices.html", values)


async def _devices(visit: Visit, session: Session) -> list[dict[str, str]]:
    """Tokens and apps with which the user can pay."""
    assert session.user_id is not None
    return [
        {"id": each.device_id, "name": each.display_name, "serial": each.serial}
        for each in await visit.iam.cloud.devices(session.user_id)
        if each.state == "active" and "offline_qrcode" in each.capabilities and _allows(visit, "AIRLOCK_2FA")
    ]


async def _with_key(visit: Visit) -> bool:
    """Whether the user can pay with a key."""
    return _allows(visit, "FIDO") and bool((await visit.rest("fido.list_credentials")).data)


def _allows(visit: Visit, method: str) -> bool:
    flow = visit.iam.policies.approvals.get(FLOW)
    return flow is not None and method in flow.methods


def _invoice(visit: Visit) -> Invoice:
    found = INVOICES.get(visit.path["invoice"])
    if found is None:
        raise ApiError(404, "NOT_FOUND", "there is no such invoice")
    return found


async def _require(visit: Visit) -> Session:
    session = await visit.session()
    if session is None or session.authenticated_at is None:
        raise ApiError(401, "NOT_AUTHORIZED", "log in first")
    return session


async def _own(visit: Visit) -> None:
    """Refuse to go on with an approval that was begun by whoever was logged in before.

    Raises:
        ApiError: 401 if nobody is logged in, or the approval is not theirs.
    """
    session, approval = await _require(visit), await _load(visit)
    if approval is None or approval.user_id != session.user_id:
        raise ApiError(401, "NOT_AUTHORIZED", "there is no approval of yours")


async def _load(visit: Visit) -> Approval | None:
    token = visit.jar.get(COOKIE, "")
    return await visit.iam.database.run(approvals.load, token, visit.iam.now()) if token else None
