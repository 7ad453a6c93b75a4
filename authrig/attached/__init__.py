"""The attached ends of the rig's ports: real devices at this machine, and what stands in for a hand."""
