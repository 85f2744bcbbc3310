"""Secrets: the vault that seals them, and the places where people give them."""
