"""How a device becomes visible to an operating system: uhid and USB/IP. Nothing here knows what the device does."""
