"""Traffic between keys and hosts as files that Wireshark opens."""
