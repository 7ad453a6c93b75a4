"""A Linux host's own idea of a keyboard: libxkbcommon, with dead keys as X11 and Wayland compose them."""

import ctypes
import ctypes.util
from functools import cache

_COMPOSED, _CANCELLED, _NOTHING = 2, 3, 0
_DOWN, _UP = 1, 0
_EFFECTIVE = 1 << 3
_SHARP_S = 0xDF


class _Names(ctypes.Structure):
    _fields_ = [(name, ctypes.c_char_p) for name in ("rules", "model", "layout", "variant", "options")]


@cache
def _library() -> ctypes.CDLL:
    name = ctypes.util.find_library("xkbcommon")
    assert name is not None
    library = ctypes.CDLL(name)
    for function in (
        "xkb_context_new",
        "xkb_keymap_new_from_names",
        "xkb_state_new",
        "xkb_compose_table_new_from_locale",
        "xkb_compose_state_new",
    ):
        getattr(library, function).restype = ctypes.c_void_p
    library.xkb_keysym_to_upper.restype = ctypes.c_uint32
    library.xkb_state_key_get_one_sym.restype = ctypes.c_uint32
    library.xkb_compose_state_get_one_sym.restype = ctypes.c_uint32
    return library


def sharp_s_has_capital() -> bool:
    """Whether ẞ is the capital of ß for this libxkbcommon, as it is for all but 1.7, where that was lost by mistake."""
    return bool(_library().xkb_keysym_to_upper(_SHARP_S) != _SHARP_S)


class XkbHost:
    """A keyboard of a host with the layout ``layout`` ("us", "de", ...)."""

    def __init__(self, layout: str) -> None:
        self._xkb = _library()
        context = ctypes.c_void_p(self._xkb.xkb_context_new(0))
        names = _Names(b"evdev", b"pc105", layout.encode(), b"", b"")
        keymap = self._xkb.xkb_keymap_new_from_names(context, ctypes.byref(names), 0)
        assert keymap, f"xkeyboard-config has no layout {layout}"
        self._state = ctypes.c_void_p(self._xkb.xkb_state_new(ctypes.c_void_p(keymap)))
        table = self._xkb.xkb_compose_table_new_from_locale(context, b"en_US.UTF-8", 0)
        assert table, "the compose table of en_US.UTF-8 is not installed: apt-get install libx11-data"
        self._compose = ctypes.c_void_p(self._xkb.xkb_compose_state_new(ctypes.c_void_p(table), 0))

    def key(self, evdev_code: int, *, down: bool) -> str:
        """Press or release a key, by its number in linux/input-event-codes.h; what that types."""
        code = evdev_code + 8
        typed = self._typed(code) if down else ""
        self._xkb.xkb_state_update_key(self._state, code, _DOWN if down else _UP)
        return typed

    def _typed(self, code: int) -> str:
        buffer = ctypes.create_string_buffer(16)
        if any(self._xkb.xkb_state_mod_name_is_active(self._state, held, _EFFECTIVE) for held in (b"Control", b"Mod1")):
            return ""  # a command to a program
        symbol = self._xkb.xkb_state_key_get_one_sym(self._state, code)
        self._xkb.xkb_compose_state_feed(self._compose, symbol)
        status = self._xkb.xkb_compose_state_get_status(self._compose)
        if status == _NOTHING:
            self._xkb.xkb_state_key_get_utf8(self._state, code, buffer, len(buffer))
        elif status == _COMPOSED:
            self._xkb.xkb_compose_state_get_utf8(self._compose, buffer, len(buffer))
        if status in (_COMPOSED, _CANCELLED):
            self._xkb.xkb_compose_state_reset(self._compose)
        return buffer.value.decode()
