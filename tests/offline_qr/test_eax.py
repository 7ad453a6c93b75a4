import pytest
from hypothesis import given
from hypothesis import strategies as st

from offline_qr.eax import EaxBrokenError, open_sealed, seal

PAPER = [  # message, key, nonce, header, ciphertext with tag: Bellare, Rogaway, Wagner, appendix G
    (
        "",
        "233952DEE4D5ED5F9B9C6D6FF80FF478",
        "62EC67F9C3A4A407FCB2A8C49031A8B3",
        "6BFB914FD07EAE6B",
        "E037830E8389F27B025A2D6527E79D01",
    ),
    (
        "F7FB",
        "91945D3F4DCBEE0BF45EF52255F095A4",
        "BECAF043B0A23D843194BA972C66DEBD",
        "FA3BFD4806EB53FA",
        "19DD5C4C9331049D0BDAB0277408F67967E5",
    ),
    (
        "1A47CB4933",
        "01F74AD64077F2E704C0F60ADA3DD523",
        "70C3DB4F0D26368400A10ED05D2BFF5E",
        "234A3463C1264AC6",
        "D851D5BAE03A59F238A23E39199DC9266626C40F80",
    ),
]


@pytest.mark.parametrize(("message", "key", "nonce", "header", "sealed"), PAPER)
def test_the_examples_of_the_paper(message: str, key: str, nonce: str, header: str, sealed: str) -> None:
    """In both directions."""
    data, k, n, h, c = (bytes.fromhex(text) for text in (message, key, nonce, header, sealed))
    assert seal(k, n, data, h) == c
    assert open_sealed(k, n, c, h) == data


@given(st.binary(max_size=40), st.data())
def test_a_flipped_bit_is_refused(message: bytes, data: st.DataObject) -> None:
    """In the sealed bytes, the nonce or the associated data; and so is a cut."""
    key, nonce, header = bytes(16), bytes(16), b"head"
    sealed = seal(key, nonce, message, header)
    assert open_sealed(key, nonce, sealed, header) == message
    parts = [nonce, sealed, header]
    which = data.draw(st.integers(0, 2))
    bit = data.draw(st.integers(0, len(parts[which]) * 8 - 1))
    parts[which] = (int.from_bytes(parts[which]) ^ 1 << bit).to_bytes(len(parts[which]))
    with pytest.raises(EaxBrokenError):
        open_sealed(key, parts[0], parts[1], parts[2])
    with pytest.raises(EaxBrokenError):
        open_sealed(key, nonce, sealed[: data.draw(st.integers(0, len(sealed) - 1))], header)
