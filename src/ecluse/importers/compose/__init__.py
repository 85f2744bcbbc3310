"""A Compose file → a draft: services, backing services and values. Pure."""
