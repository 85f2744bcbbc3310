"""The parts of one environment on this machine, each made with just what it needs, when it is asked for."""

from __future__ import annotations

from datetime import datetime
from functools import cached_property

from ecluse.engines.docker.backing.backing import Backing
from ecluse.engines.docker.backing.images import Images
from ecluse.engines.docker.backing.trials import Trials
from ecluse.engines.docker.backing.versions import Versions
from ecluse.engines.docker.backing.volumes import Volumes
from ecluse.engines.docker.confirm import Confirmation
from ecluse.engines.docker.debug import Debug
from ecluse.engines.docker.gateway.gateway import Gateway
from ecluse.engines.docker.gateway.preparation import Preparation
from ecluse.engines.docker.gateway.renewal import Renewal
from ecluse.engines.docker.gateway.traffic import Traffic
from ecluse.engines.docker.ground import Network
from ecluse.engines.docker.labels import Site, machine_id
from ecluse.engines.docker.likeness import Likeness
from ecluse.engines.docker.logs import Logs
from ecluse.engines.docker.machine import Machine
from ecluse.engines.docker.making import Making
from ecluse.engines.docker.reach import Reach
from ecluse.engines.docker.replicas import Replicas
from ecluse.engines.docker.rollout import Rollout
from ecluse.engines.docker.runs import Runs
from ecluse.model.application import Target
from ecluse.model.workload import Box, Workload


class Environment:
    def __init__(self, machine: Machine, target: Target) -> None:
        self.machine = machine
        self.site = Site(target, machine_id(machine.folder))

    @cached_property
    def reach(self) -> Reach:
        return Reach(self.site, containers=self.machine.containers, ground=self.machine.ground)

    @cached_property
    def replicas(self) -> Replicas:
        return Replicas(self.site, self.machine.containers)

    @cached_property
    def gateway(self) -> Gateway:
        machine = self.machine
        return Gateway(
            self.site,
            state=machine.state,
            machine=machine.folder,
            client=machine.client,
            containers=machine.containers,
            ground=machine.ground,
            edge=machine.edge,
            authority=machine.authority,
            reach=self.reach,
            keepsake=machine.keepsake,
            keepsakes=machine.keepsakes,
        )

    @cached_property
    def preparation(self) -> Preparation:
        return Preparation(
            self.site,
            self.gateway,
            entrance=self.machine.listening.entrance(self.site.target.tls),
            containers=self.machine.containers,
            house=self.machine.house,
            edge=self.machine.edge,
            reach=self.reach,
        )

    @cached_property
    def renewal(self) -> Renewal:
        return Renewal(self.gateway)

    @cached_property
    def traffic(self) -> Traffic:
        return Traffic(self.gateway, self.reach)

    @cached_property
    def images(self) -> Images:
        return Images(self.machine.house)

    @cached_property
    def volumes(self) -> Volumes:
        return Volumes(
            self.site, state=self.machine.state, client=self.machine.client, ground=self.machine.ground
        )

    @cached_property
    def backing(self) -> Backing:
        machine = self.machine
        return Backing(
            self.site,
            state=machine.state,
            client=machine.client,
            containers=machine.containers,
            ground=machine.ground,
            reach=self.reach,
            dressing=machine.dressing,
            images=self.images,
            volumes=self.volumes,
        )

    @cached_property
    def trials(self) -> Trials:
        return Trials(
            self.site,
            client=self.machine.client,
            containers=self.machine.containers,
            dressing=self.machine.dressing,
            images=self.images,
        )

    @cached_property
    def versions(self) -> Versions:
        return Versions(
            containers=self.machine.containers,
            ground=self.machine.ground,
            backing=self.backing,
            images=self.images,
            trials=self.trials,
            volumes=self.volumes,
        )

    @cached_property
    def runs(self) -> Runs:
        return Runs(
            self.site,
            client=self.machine.client,
            containers=self.machine.containers,
            making=self.making,
        )

    @cached_property
    def likeness(self) -> Likeness:
        return Likeness(
            self.site,
            client=self.machine.client,
            containers=self.machine.containers,
            dressing=self.machine.dressing,
        )

    @cached_property
    def debug(self) -> Debug:
        return Debug(
            self.site,
            client=self.machine.client,
            containers=self.machine.containers,
            dressing=self.machine.dressing,
        )

    def rollout(self, workload: Workload, *, home: Network, network: Network) -> Rollout:
        return Rollout(
            self.site,
            workload,
            home=home,
            client=self.machine.client,
            containers=self.machine.containers,
            traffic=self.traffic,
            making=self.making(workload.subject, workload.box, network),
        )

    def making(self, subject: str, box: Box, network: Network) -> Making:
        return Making(
            self.site,
            subject,
            box,
            network=network,
            containers=self.machine.containers,
            ground=self.machine.ground,
            reach=self.reach,
            dressing=self.machine.dressing,
        )

    def confirmation(self, *, since: datetime) -> Confirmation:
        return Confirmation(
            self.site,
            since=since,
            client=self.machine.client,
            containers=self.machine.containers,
            servers=self.gateway.servers,
            dressing=self.machine.dressing,
        )

    def logs(self, service: str, process: str | None, *, since: float | None, tail: int | None) -> Logs:
        return Logs(self.replicas, service, process, client=self.machine.client, since=since, tail=tail)
