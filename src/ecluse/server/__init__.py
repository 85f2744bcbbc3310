"""The process that acts: the runner. Composed by wiring, started by commands or at boot."""
