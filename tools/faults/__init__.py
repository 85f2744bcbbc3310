"""Kills what acts, at every point, and looks at what is left: shared by the tests and by `tools/bench faults`."""
