"""Sources of frames: files, videos, webcams, and a camera that is not there."""
