"""The suite for scanners: how much is read, how fast and how faithfully, on emulated and attached ones alike."""
