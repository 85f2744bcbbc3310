"""Backing services: their containers, accounts, data and versions."""
