"""The flows of the demo, in the order in which it runs them."""

from authrig.demo import badge_login, fido_login, offline_qr_login, transaction_approval
from authrig.demo.runner import Flow

FLOWS = (
    Flow(
        "offline-qr-login",
        "Password, then offline QR",
        "The server asks its verification cloud for a challenge and shows it as a QR code. The token photographs it, shows what it "
        "is about to confirm, and after OK shows eight digits, which are typed into the server.",
        offline_qr_login.play,
    ),
    Flow(
        "transaction-approval",
        "Transaction approval",
        "A payment is approved on the token, which pages through amount, account and beneficiary before it shows the code. "
        "The code stands for exactly the text on the display.",
        transaction_approval.play,
    ),
    Flow(
        "fido-login",
        "Password, then FIDO security key",
        "The unmodified python-fido2 client registers the emulated key and logs in with it, over CTAPHID reports.",
        fido_login.play,
    ),
    Flow(
        "badge-login",
        "QR badge",
        "An insecure badge stands for the username only; a secure badge for username and password, until the password changes.",
        badge_login.play,
    ),
)
