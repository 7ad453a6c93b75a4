"""The key as a HID device: what it tells the host before any CTAP (CTAP 2.3 §11.2.8)."""

# Usage page FIDO, usage CTAPHID; an input and an output report of 64 bytes each, without report ids.
REPORT_DESCRIPTOR = bytes.fromhex(
    "06d0f1 0901 a101"
    " 0920 1500 26ff00 7508 9540 8102"  # data in
    " 0921 1500 26ff00 7508 9540 9102"  # data out
    " c0"
)
POLL_INTERVAL_MS = 5
"""How often a full-speed host asks for a report, as the example in §11.2.8.1 has it."""


def bcd(version: tuple[int, int, int]) -> int:
    """A device version as USB writes it, in binary-coded decimal: 0xJJMN for JJ.M.N; what does not fit becomes a nine."""
    major, minor, build = version
    return min(major, 99) // 10 << 12 | min(major, 99) % 10 << 8 | min(minor, 9) << 4 | min(build, 9)
