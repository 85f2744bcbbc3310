"""Examines whether this machine can build and run a product, and says what to mend. Changes nothing.

`probe` asks the machine, `judge` turns answers into findings, `examine` brings them together.
"""
