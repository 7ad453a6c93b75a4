"""A Debian kernel in QEMU, for what this machine's own kernel lacks: uhid, USB/IP, cameras.

The guest has no image and no disk: its root is the host's file system, read-only over 9p, so a command finds the same
Python and the same checkout inside. No root and no KVM are needed.
"""
