"""A conformance run inside pytest: switching it on, collecting, judging, reporting. The only rooms that know pytest."""
