"""The command line: parses words, calls one use case, shows what it gives."""
