"""What each `${…}` stands for, seen from one service in one environment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from ecluse.config.interpolate import ROOTS, BadReference, Value
from ecluse.errors import nearest
from ecluse.model.names import ServiceName
from ecluse.model.secret import Sealed

if TYPE_CHECKING:
    from ecluse.config.scope import ServiceScope

RUN_FIELDS = ("port", "replicas", "cpu", "memory", "drain", "stop_grace", "probe", "expose", "command")


def refer(scope: ServiceScope, reference: str) -> Value:
    """The value behind a reference; BadReference when there is none."""
    root, _, rest = reference.partition(".")
    if root not in ROOTS:
        hint = nearest(root, ROOTS) if root else None
        message = f"{reference} is not a reference" if reference else "a reference is empty"
        raise BadReference((message, f"{hint or 'name what you mean'}; $${{ is a literal ${{"))
    return _REFER[root](scope, rest)


def _refer_app(scope: ServiceScope, key: str) -> Value:
    contract = scope.declaration.spec.config
    if key not in contract:
        raise BadReference((f"the contract of {scope.name} has no key {key}", nearest(key, contract)))
    return _known(scope.app(key))


def _refer_run(scope: ServiceScope, rest: str) -> Value:
    process, _, path = rest.partition(".")
    processes = scope.declaration.spec.processes
    if process not in processes:
        raise BadReference((f"{scope.name} has no process named {process}", nearest(process, processes)))
    name, *inner = path.split(".")
    value = _known(scope.run(process, name))
    data = value.data
    for part in inner:
        data = data.get(part) if isinstance(data, dict) else None
    if data is None or isinstance(data, dict | Sealed):
        hint = f"give the process its `{name}:`" if name in RUN_FIELDS else nearest(name, RUN_FIELDS)
        raise BadReference((f"run.{rest} has no value", hint))
    return Value(data, value.secret, value.through, value.chain, len(str(data)), value.levels)


def _refer_service(scope: ServiceScope, rest: str) -> Value:
    name, _, wanted = rest.rpartition(".")
    services = scope.around.product.services
    if wanted not in ("url", "public_url"):
        raise BadReference((f"service.{rest} is not a reference", "write ${service.NAME.url} or .public_url"))
    if name not in services:
        raise BadReference((f"no service is named {name}", nearest(name, services)))
    if wanted == "public_url":
        return _public_url(scope, ServiceName(name))
    if name not in scope.declaration.spec.uses and name != scope.name:
        raise BadReference((f"{scope.name} does not use {name}", f"add {name} to `uses:` in service.yaml"))
    other = scope.around.scopes.get(ServiceName(name))
    if other and other.declaration.spec.front is None:
        raise BadReference((f"{name} has no address", "name one of its processes with a port `web`"))
    return Value(f"http://{name}", characters=len(name) + 7)


def _public_url(scope: ServiceScope, name: ServiceName) -> Value:
    other = scope.around.scopes.get(name)
    if other is None:
        raise BadReference((f"{name} has no release yet: its public address is not known", None))
    processes = other.declaration.spec.processes
    front = other.declaration.spec.front
    for process in sorted(processes.values(), key=lambda one: one != front):
        _known(other.run(process.name, "expose"))
        if host := other.public_host(process):
            around = scope.around
            address = around.environment.tls.address(
                host, http=around.means.public_port or 80, https=around.means.https_port
            )
            return Value(address, characters=len(address))
    raise BadReference((f"{name} has no public address", "give one of its processes `expose: {host: …}`"))


def _refer_backing(scope: ServiceScope, rest: str) -> Value:
    name, _, wanted = rest.partition(".")
    backing = scope.around.environment.backing
    if name not in backing:
        raise BadReference((f"no backing service is named {name}", nearest(name, backing)))
    if name not in scope.declaration.spec.uses:
        raise BadReference((f"{scope.name} does not use {name}", f"add {name} to `uses:` in service.yaml"))
    if not wanted:
        hint = "write ${backing.NAME.url}, .host, .port, .user, .password or .name"
        raise BadReference((f"backing.{rest} is not a reference", hint))
    return scope.around.accounts.value(
        backing[name], scope.name, wanted, reveal=scope.around.reveal, given=scope.encrypted
    )


def _refer_environment(scope: ServiceScope, rest: str) -> Value:
    environment = scope.around.environment
    return _fact("environment", rest, {"name": environment.name, "domain": environment.domain})


def _refer_product(scope: ServiceScope, rest: str) -> Value:
    return _fact("product", rest, {"name": scope.around.product.name})


def _refer_release(scope: ServiceScope, rest: str) -> Value:
    if scope.version is None:
        raise BadReference((f"{scope.name} has no release yet", None))
    return _fact("release", rest, {"version": scope.version})


def _known(value: Value | None) -> Value:
    """A value whose problem was told already makes what refers to it fail in silence."""
    if value is None:
        raise BadReference()
    return value


def _fact(root: str, name: str, facts: Mapping[str, str]) -> Value:
    if name not in facts:
        raise BadReference((f"{root}.{name} is not a reference", nearest(name, facts)))
    return Value(facts[name], characters=len(facts[name]))


_REFER: Mapping[str, Callable[[ServiceScope, str], Value]] = {
    "app": _refer_app,
    "run": _refer_run,
    "service": _refer_service,
    "backing": _refer_backing,
    "environment": _refer_environment,
    "product": _refer_product,
    "release": _refer_release,
}
