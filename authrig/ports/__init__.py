"""What the rig does to a device or a server: show it a picture, press its keys, read its screen, send it a request."""
