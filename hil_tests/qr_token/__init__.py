"""The suite for offline QR tokens: OTQ1 (docs/reference/otq1.md) through the port, on emulated and attached tokens alike."""
