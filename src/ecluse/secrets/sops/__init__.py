"""SOPS's own file format, read and written for age recipients. Written after the sources of getsops/sops 3.13.

Pure but for `identities.py` (finds private keys) and `program.py` (asks the `sops` command for other kinds of keys).
"""
