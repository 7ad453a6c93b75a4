"""The suites: run them with ``pytest --pyargs hil_tests``, on emulated devices."""
