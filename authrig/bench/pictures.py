"""What holds pictures before the devices of a bench."""

from __future__ import annotations

from typing import TYPE_CHECKING

from authrig.attached.picture_page import PicturePage
from authrig.attached.token_hands import PaperPicture, PersonAtTheToken
from authrig.rig_file.entries import Page, Paper

if TYPE_CHECKING:
    from authrig.bench.tools import Tools
    from authrig.ports.token_parts import ShowsPictures


def shows_pictures(tools: Tools, device: str, entry: Page | Paper | str) -> ShowsPictures:
    """What the rig file says under ``picture``.

    Raises:
        RigError: if it cannot be opened.
    """
    match entry:
        case Page():
            return tools.opened.enter_context(PicturePage(entry.port))
        case Paper():
            return PaperPicture(entry.url)
        case _:
            return PersonAtTheToken(tools.person, device, tools.folder)
