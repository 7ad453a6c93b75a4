"""What an offline QR token and its server say to each other: pure functions, no I/O, no clock, no device."""
