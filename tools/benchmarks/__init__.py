"""The parts of `make bench`: each measures Écluse beside what one would use instead, and prints its figures."""
