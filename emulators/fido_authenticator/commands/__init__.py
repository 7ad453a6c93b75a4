"""CTAP2 commands, one file each; the steps of the specification stand as numbered comments above the code."""
