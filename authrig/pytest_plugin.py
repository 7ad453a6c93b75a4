"""The pytest plugin: fixtures for the rig."""
