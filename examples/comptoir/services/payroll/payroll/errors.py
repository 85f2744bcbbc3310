"""What may go wrong, by who can do something about it."""


class Unavailable(Exception):
    """Something that this service leans on is away for a moment: answered with 503."""


class Invalid(Exception):
    """The caller's mistake: answered with 422."""
