"""Brings the replicas of a new release into traffic beside those that they replace, and judges their answers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ecluse.engines.docker import judgement
from ecluse.engines.docker.gateway.routing import Server, backend_name
from ecluse.engines.docker.gateway.traffic import Traffic
from ecluse.engines.docker.ground import Network
from ecluse.engines.docker.judgement import Tally
from ecluse.model.cause import Cause, RolloutFailed
from ecluse.model.event import Event
from ecluse.model.workload import Workload

SWITCH_SECONDS = 2.0
"""How long answers are judged after all of the traffic has moved. The old replicas finish what they have then."""
_POLL_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class Baseline:
    """What a gateway had counted of each server when the rollout began."""

    counted: Mapping[str, Tally]

    def of(self, server: str) -> Tally:
        return self.counted.get(server, Tally())


class Introduction:
    """old, new: what leaves and what comes. members: everything that should be in traffic in the end."""

    def __init__(
        self,
        traffic: Traffic,
        network: Network,
        workload: Workload,
        *,
        members: Sequence[Server],
        old: Sequence[Server],
        baseline: Baseline,
    ) -> None:
        self._traffic = traffic
        self._network = network
        self._workload = workload
        self._members = members
        self._old = old
        self._baseline = baseline

    async def execute(self) -> AsyncIterator[Event]:
        """RolloutFailed with the figures when the new release does worse; the old one has all traffic then."""
        spec = self._workload.spec.rollout
        for share in spec.steps:
            old, new = judgement.weights(share, len(self._old), len(self._members))
            await self._share(old=old, new=new)
            yield self._event(f"{share:.0%} of the requests go to the new release, for {spec.observe:g} s")
            await self._observe(spec.observe)
        was_busy = await self._is_busy()
        await self._share(old=0, new=judgement.WHOLE)
        if spec.steps:
            yield self._event("all requests go to the new release")
        if was_busy and spec.judge:
            await self._observe(SWITCH_SECONDS)

    async def _is_busy(self) -> bool:
        """Did the old replicas answer anything since the rollout began? If not, there is nothing to wait for."""
        return bool((await self._old_tally(recent=True)).answers)

    async def _share(self, *, old: int, new: int) -> None:
        servers = [replace(item, weight=new) for item in self._members]
        servers += [replace(item, weight=old) for item in self._old]
        await self._traffic.admit(self._network, self._workload, servers)

    async def _observe(self, seconds: float) -> None:
        """Errors are judged at once; the time to answer at the end, when programs have warmed up."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            await asyncio.sleep(min(left, _POLL_SECONDS))
            await self._refuse(judgement.errors_rose(self._workload.subject, *await self._tallies()))
        await self._refuse(judgement.slower(self._workload.subject, *await self._tallies()))

    async def _refuse(self, cause: Cause | None) -> None:
        if cause is None or not self._workload.spec.rollout.judge:
            return
        await self._share(old=judgement.WHOLE, new=0)
        raise RolloutFailed(cause)

    async def _tallies(self) -> tuple[Tally, Tally]:
        new = await self._traffic.tallies(backend_name(self._workload))
        members = judgement.together(
            new.get(item.name, Tally()).since(self._baseline.of(item.name)) for item in self._members
        )
        return await self._old_tally(), members

    async def _old_tally(self, *, recent: bool = False) -> Tally:
        """What they did during this rollout; where that is little, since they came into traffic."""
        counted = await self._traffic.tallies(backend_name(self._workload))
        known = [(item.name, counted.get(item.name, Tally())) for item in self._old]
        lately = judgement.together(tally.since(self._baseline.of(name)) for name, tally in known)
        if recent or lately.answers >= judgement.LEAST_ANSWERS:
            return lately
        return judgement.together(tally for _, tally in known)

    def _event(self, message: str) -> Event:
        return Event("gateway", self._workload.subject, message)
