"""How fast this machine counts time.

QEMU lets the guest read the processor's own counter (TSC), and Linux would measure it with an emulated timer while it boots.
On a busy machine it found a third of the real speed: all time-outs in the guest were over three times as early.
"""

import ctypes
import mmap
import time

_RDTSC = bytes.fromhex("0f3148c1e2204809d0c3")
"""A function in x86-64's machine code: rdtsc; shl rdx, 32; or rax, rdx; ret."""
_SECONDS = 0.05
_TRIES = 20


def tsc_khz() -> int | None:
    """What the TSC counts in a millisecond; None where this machine lets nobody make a function in memory.

    Sources: Intel SDM volume 2B (RDTSC); the kernel's Documentation/admin-guide/kernel-parameters.txt (``tsc_early_khz``).
    """
    try:
        page = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    except OSError:
        return None
    page.write(_RDTSC)
    code = ctypes.c_char.from_buffer(page)
    read_tsc = ctypes.CFUNCTYPE(ctypes.c_uint64)(ctypes.addressof(code))

    def look() -> tuple[int, int]:
        """Nanoseconds and ticks at one moment: of several looks the one with the least time between its two clocks."""
        looks = []
        for _ in range(_TRIES):
            before, ticks, after = time.monotonic_ns(), read_tsc(), time.monotonic_ns()
            looks.append((after - before, before, ticks))
        _, at, ticks = min(looks)
        return at, ticks

    begun, first = look()
    time.sleep(_SECONDS)
    ended, last = look()
    return round((last - first) * 1_000_000 / (ended - begun))
