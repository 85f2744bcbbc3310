"""What Écluse reasons about: frozen values and pure functions. No I/O, no library."""
