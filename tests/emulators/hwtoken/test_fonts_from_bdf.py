import subprocess
import sys
from pathlib import Path

TOOL = Path(__file__).parents[3] / "tools" / "fonts_from_bdf.py"
HEAD = """STARTFONT 2.1
FONT -Misc-Fixed-Medium-R-Normal--8-80-75-75-C-50-ISO10646-1
FONTBOUNDINGBOX 5 8 0 -1
COPYRIGHT "{licence}"
"""
GLYPHS = """STARTCHAR dash, smaller than its cell
ENCODING 45
BBX 3 1 1 3
BITMAP
E0
ENDCHAR
STARTCHAR a right-to-left letter
ENCODING 1488
BBX 5 8 0 -1
BITMAP
FF
FF
FF
FF
FF
FF
FF
FF
ENDCHAR
STARTCHAR an empty letter
ENCODING 65
BBX 1 1 0 0
BITMAP
00
ENDCHAR
"""


def convert(bdf: str) -> subprocess.CompletedProcess[str]:
    """Run the tool as its documentation says."""
    return subprocess.run(
        [sys.executable, TOOL, "5x8"], input=bdf, capture_output=True, text=True, check=False, timeout=30
    )


def test_a_glyph_is_put_where_it_belongs_in_its_cell() -> None:
    """A dash of one row lands in the middle; what nobody could see is left out."""
    done = convert(HEAD.format(licence="Public domain font.  Share and enjoy.") + GLYPHS)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[3:] == ["# cell: 5 8", "002D:0000007000000000"]


def test_a_font_with_a_copyright_is_refused() -> None:
    """We ship nothing whose licence we have not read."""
    done = convert(HEAD.format(licence="Copyright (c) 1987 Somebody") + GLYPHS)
    assert (done.returncode, done.stdout) == (1, "")
    assert "expected a public domain ISO10646-1 font, found 'Copyright (c) 1987 Somebody'" in done.stderr
