"""The runner, killed at every event of a deployment, of one that fails and of a rollback, and at random moments."""

from __future__ import annotations

import time

from faults import strike
from faults.scene import scene
from faults.strike import KINDS, points

from benchmarks.shown import progress


def bench_faults(runs: int, seed: int) -> int:
    """Prints each run that did not end as it should; gives how many."""
    begun, struck, failed = time.monotonic(), 0, 0
    with scene() as found:
        events = {kind: strike.undisturbed(found, kind) for kind in KINDS}
        print(f"faults: {', '.join(f'{count} events in a {kind}' for kind, count in events.items())}")
        for point in points(events, runs, seed):
            struck += 1
            progress(f"{struck}: {point}")
            if problems := strike.the_runner(found, point):
                failed += 1
                print(f"  {point}: {'; '.join(problems)}", flush=True)
        asked, lost = found.client.done, len(found.client.lost)
    print(
        f"  {struck} kills of the runner, seed {seed}: {struck - failed} ended as they should, {failed} did not"
    )
    print(f"  {asked} requests meanwhile, {lost} lost; {time.monotonic() - begun:.0f} s in all\n", flush=True)
    return failed
