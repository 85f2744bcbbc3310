"""Configuration + releases + secrets → Desired: what an environment should be, with no reference left."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from ecluse.config.applied import Applying, SecretNeeded
from ecluse.config.backing import Accounts
from ecluse.config.load import Configuration, use_problems
from ecluse.config.scope import ServiceScope, Surroundings, service_scope
from ecluse.config.service import Declaration, read_declaration
from ecluse.config.strays import own_strays
from ecluse.errors import ConfigInvalid, NotFound, Problem, nearest
from ecluse.model.application import Application, BackingService, Desired, Target
from ecluse.model.names import EnvironmentName, ServiceName
from ecluse.model.product import Environment
from ecluse.model.release import Release
from ecluse.ports import SecretSource, Vault
