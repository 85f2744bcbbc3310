"""Commands inside an environment: a task on its own, or a word to a running replica."""

from __future__ import annotations

from collections.abc import Sequence

from ecluse.delivery.single import command_intent
from ecluse.errors import NotFound, UsageError, nearest
from ecluse.model.application import Application
from ecluse.model.names import ServiceName
from ecluse.model.product import Environment
from ecluse.model.workload import find_command, workload
from ecluse.wiring.product import OpenProduct
from ecluse.wiring.proposal import Proposal
from ecluse.wiring.state import ProductState


def propose_command(
    product: OpenProduct, environment: Environment, service: ServiceName, task: str, state: ProductState
) -> Proposal:
    """The intent to run a task or a cron of the release that the environment runs."""
    application = _deployed(state, environment, service)
    if find_command(application, task) is None:
        raise NotFound(
            f"{service} has no task or cron {task!r}",
            hint=nearest(task, {*application.tasks, *application.crons}),
        )
    key = f"{task}-{int(state.clock.now().timestamp() * 1000)}"
    return Proposal(command_intent(product.target(environment), application, task, key=key), state)


async def execute_inside(
    product: OpenProduct,
    environment: Environment,
    service: ServiceName,
    process: str | None,
    words: Sequence[str],
    *,
    tty: bool,
) -> int:
    """Runs a command in a replica of the service; gives its exit code."""
    engine = product.reading.engine()
    try:
        return await engine.execute(product.target(environment), service, process, words, tty=tty)
    finally:
        await engine.close()


async def debug_beside(
    product: OpenProduct,
    environment: Environment,
    service: ServiceName,
    process: str | None,
    words: Sequence[str],
    *,
    tty: bool,
) -> int:
    """Runs a command of the release's test image beside a replica; gives its exit code."""
    from ecluse.images.commands import test_image

    state = product.reading
    application = _deployed(state, environment, service)
    chosen = application.processes.get(process) if process else application.front
    chosen = chosen or next(iter(application.processes.values()))
    if process and chosen.name != process:
        raise NotFound(f"{service} has no process {process!r}", hint=nearest(process, application.processes))
    release = product.catalogue.image(service, application.release.image_id, application.release.version)
    beside = workload(application, chosen, domain=environment.domain)
    image = test_image(product.product.name, service, release.inputs)
    engine = state.engine()
    try:
        return await engine.debug(product.target(environment), beside, image, words, tty=tty)
    finally:
        await engine.close()


def parse_since(text: str | None) -> float | None:
    """`30s`, `10m`, `2h` in seconds."""
    from ecluse.config.quantity import parse_duration

    try:
        return parse_duration(text) if text else None
    except ValueError as error:
        raise UsageError(f"--since {text}: {error}", hint="write 30s, 10m or 2h") from error


def _deployed(state: ProductState, environment: Environment, service: ServiceName) -> Application:
    known = state.records.known_good(environment.name).applications
    if service not in known:
        raise NotFound(
            f"{service} was not deployed to {environment.name} yet",
            hint=f"ecluse deploy {environment.name} {service}",
        )
    return known[service]
