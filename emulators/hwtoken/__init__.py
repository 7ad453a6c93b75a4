"""An offline QR token as software: camera, dot-matrix display, two buttons and memory, as a core that opens nothing."""
