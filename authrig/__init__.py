"""The rig: devices and a server put together, driven, and watched. The command line, the pytest plugin and the demo."""
