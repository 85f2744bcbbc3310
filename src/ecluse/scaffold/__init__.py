"""Writes the first files of a product and of a service, from the files under `templates`.

Only creates: a file that exists is never replaced. Knows no engine and runs no command.
"""
