"""The suite for FIDO security keys: what CTAP 2.3 demands, asked of an emulated or an attached key alike."""
