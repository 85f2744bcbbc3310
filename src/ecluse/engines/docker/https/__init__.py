"""The certificate that a gateway shows: the local authority's, the user's own, or one from an ACME server."""
