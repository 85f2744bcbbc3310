"""The in-memory twin of the durable journal: for tests and dry runs. It forgets with its process."""

from __future__ import annotations

from collections.abc import Awaitable, Callable


class MemoryJournal:
    """Implements ports.Journal; `outcomes` may be handed to a second one, as a restart would."""

    def __init__(self, outcomes: dict[str, str] | None = None) -> None:
        self.outcomes = {} if outcomes is None else outcomes

    async def step(self, name: str, act: Callable[[], Awaitable[str]]) -> str:
        if name not in self.outcomes:
            self.outcomes[name] = await act()
        return self.outcomes[name]
