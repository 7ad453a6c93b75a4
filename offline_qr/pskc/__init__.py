"""PSKC (RFC 6030): files in which makers of tokens send the tokens' secrets to whoever runs the server.

``read`` gives the keys of a file: in plain text, encrypted under a pre-shared key, or under a password; ``write`` makes a
file. What is encrypted is always authenticated, and its MAC is checked before anything is decrypted.
"""

from offline_qr.pskc.errors import PskcError, WrongPskcKeyError
from offline_qr.pskc.keys import PskcKey
from offline_qr.pskc.reading import read
from offline_qr.pskc.writing import write

__all__ = ["PskcError", "PskcKey", "WrongPskcKeyError", "read", "write"]
