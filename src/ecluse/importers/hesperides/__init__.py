"""Hesperides (sncf-connect-tech/hesperides) → a draft. `client` reaches its server; everything else is pure."""
