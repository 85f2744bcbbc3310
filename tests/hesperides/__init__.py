"""A Hesperides for tests: its REST interface, and its generation of files by the documented rules."""
