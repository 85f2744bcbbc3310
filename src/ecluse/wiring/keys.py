"""The key of a product's vault, where it is missing: gateways keep it for that day."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Literal

from ecluse.model.application import Target
from ecluse.wiring.state import ProductState

Key = Literal["here", "back", "new"]
"""Where the key of an opened state is from: it was here, a gateway had kept it, or nobody had."""


def find_key(state: ProductState, targets: Sequence[Target]) -> Key:
    """Brings the key back from the engine, where it is missing here. `state` is open for reading alone."""
    from ecluse.secrets.vault import put_back_key

    folder = state.settings.product_state(state.product)
    if (folder / "key").exists():
        return "here"
    with ThreadPoolExecutor(1) as beside:
        # a loop may be running here
        kept = beside.submit(asyncio.run, _kept(state, targets)).result()
    return "back" if kept is not None and put_back_key(folder, kept) else "new"


async def _kept(state: ProductState, targets: Sequence[Target]) -> bytes | None:
    """The first that is found: one key serves all environments of a product."""
    engine = state.engine()
    try:
        for target in targets:
            if key := await engine.keepsake(target):
                return key
        return None
    finally:
        await engine.close()
