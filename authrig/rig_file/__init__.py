"""The rig file: which devices there are, each emulated or attached, and who touches them (docs/reference/rig-file.md)."""
