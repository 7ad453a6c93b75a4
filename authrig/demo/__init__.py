"""The flows that `authrig demo` runs: each a complete login or approval, with the attacks that must be refused."""
