"""What the pytest plugin does with a rig, once a test has asked for one."""
