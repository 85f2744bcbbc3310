"""One file per command. At the top only click and what costs nothing: the rest is imported when it is used."""
