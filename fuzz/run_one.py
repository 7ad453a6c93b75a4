"""``python -m fuzz.run_one TARGET [libFuzzer options] CORPUS``: fuzz one target in this process until told to stop."""

import sys
from importlib import import_module


def main() -> None:
    """Hand the process over to libFuzzer; it exits from inside."""
    name = sys.argv.pop(1)
    atheris = import_module("atheris")  # an extra, and without types
    with atheris.instrument_imports(include=["emulators"]):
        from fuzz.targets import TARGETS  # noqa: PLC0415 - instrumented while it is imported
    atheris.Setup(sys.argv, TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
