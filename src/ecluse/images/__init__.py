"""Makes releases: images built and tested from a service's folder, and found again by their labels.

Talks to the engine through the `docker` command (BuildKit); knows nothing of environments.
"""
