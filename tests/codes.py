"""QR codes in pictures, for tests that ask what is in a picture and not how fast it was read.

A look at a large picture is given up at the deadline of ``read_codes``, which a machine that is busy with other tests
may miss by its own fault.
"""

from functools import partial

from emulators.camera_scanner.decoders import read_codes

PATIENT_MS = 60_000.0

read_patiently = partial(read_codes, deadline_ms=PATIENT_MS)
