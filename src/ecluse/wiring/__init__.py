"""The composition root: settings → state, engine, images, configuration. Imports stay inside functions, so
that a command pays only for what it uses."""
