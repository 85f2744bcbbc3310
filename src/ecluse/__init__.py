"""Écluse: carries a service from a commit to production, one gate at a time."""

__version__ = "0.1.0"
