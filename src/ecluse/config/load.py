"""A workspace → Configuration: everything that the files say, checked as far as no environment is needed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ecluse.config.document import Document
from ecluse.config.layers import Layers, read_layers
from ecluse.config.product import ProductFile, read_product
from ecluse.config.reasons import reason_problems
from ecluse.config.service import Declaration, declare, read_service
from ecluse.config.strays import stray_problems, stray_warnings
from ecluse.config.twins import Twins, read_twins, with_rules
from ecluse.config.workspace import PRODUCT_FILE, Workspace
from ecluse.errors import ConfigInvalid, Location, Problem, nearest
from ecluse.model.names import ServiceName
from ecluse.model.product import Product
from ecluse.model.service import ServiceSpec
from ecluse.ports import SecretFiles

__all__ = ["Configuration", "load", "read_service"]


@dataclass(frozen=True, slots=True)
class Configuration:
    """What the product's files say.

    declarations: the service.yaml of each service of the tree. templates: service → name → text.
    twins: the encrypted files.
    """

    product: Product
    document: Document
    backing: frozenset[str]
    declarations: Mapping[ServiceName, Declaration]
    templates: Mapping[ServiceName, Mapping[str, str]]
    layers: Layers
    revision: str
    dirty: bool
    warnings: tuple[Problem, ...] = ()
    twins: Twins = field(default_factory=Twins)

    @property
    def services(self) -> Mapping[ServiceName, ServiceSpec]:
        """The services of the tree; those of other repositories are known by their releases only."""
        return {name: declaration.spec for name, declaration in self.declarations.items()}


def load_product(workspace: Workspace) -> Product:
    """What ecluse.yaml alone says, whatever is wrong in other files; ConfigInvalid when it cannot be told."""
    file, problems = read_product(workspace.documents[PRODUCT_FILE], workspace.folders)
    if file is None:
        raise ConfigInvalid([*workspace.problems, *problems])
    return file.product


def load(workspace: Workspace, secret_files: SecretFiles | None = None) -> Configuration:
    """What the files say; ConfigInvalid with every problem of every file.

    secret_files: reads the encrypted ones. Without it, they only get a warning.
    """
    problems = list(workspace.problems)
    twins = read_twins(workspace, secret_files) if secret_files else Twins()
    problems += twins.problems
    declarations = _declarations(workspace, problems)
    file, found = read_product(workspace.documents[PRODUCT_FILE], workspace.folders)
    problems += found
    if file is None:
        raise ConfigInvalid(problems)
    if secret_files:
        twins = with_rules(twins, secret_files, file.product.environments)
    layers, found = read_layers(workspace.documents, file.product, twins.documents)
    problems += found
    for declaration in declarations.values():
        problems += use_problems(declaration, file)
    specs = {name: declaration.spec for name, declaration in declarations.items()}
    problems += stray_problems(layers, specs)
    problems += reason_problems(layers, file.product, file.document)
    if problems:
        raise ConfigInvalid(problems)
    return Configuration(
        product=file.product,
        document=file.document,
        backing=file.backing,
        declarations=declarations,
        templates={name: workspace.templates(name, spec) for name, spec in specs.items()},
        layers=layers,
        revision=workspace.revision,
        dirty=workspace.dirty,
        warnings=(
            *(() if secret_files else _encrypted_warnings(workspace)),
            *stray_warnings(layers, specs, file.product),
        ),
        twins=twins,
    )


def _encrypted_warnings(workspace: Workspace) -> Iterator[Problem]:
    for file in workspace.encrypted:
        hint = "give its values with `--secrets FILE`"
        yield Problem(Location(file), "", "encrypted files are not read yet", hint)


def use_problems(declaration: Declaration, file: ProductFile | Configuration) -> Iterator[Problem]:
    """`uses` entries that name nothing."""
    known = {*file.product.services, *file.backing}
    written = declaration.document.value
    entries = written.get("uses") if isinstance(written, dict) else None
    for index, name in enumerate(entries if isinstance(entries, list) else []):
        if isinstance(name, str) and "://" not in name and name not in known:
            hint = nearest(name, known)
            message = f"{name} is neither a service nor a backing service"
            yield declaration.document.problem(("uses", index), message, hint)


def _declarations(workspace: Workspace, problems: list[Problem]) -> dict[ServiceName, Declaration]:
    result = {}
    for folder_name, folder in workspace.folders.items():
        file = f"{folder}/service.yaml"
        if file not in workspace.documents:
            continue
        declaration, found = declare(workspace.documents[file], workspace.texts[file])
        problems += found
        if declaration:
            result[declaration.spec.name] = declaration
            problems += _folder_problems(declaration, ServiceName(folder_name), workspace)
    return result


def _folder_problems(declaration: Declaration, name: ServiceName, workspace: Workspace) -> Iterator[Problem]:
    document, spec = declaration.document, declaration.spec
    if spec.name != name:
        message = f"is {spec.name} in the place of {name}"
        yield document.problem(("service",), message, f"write `service: {name}`, or rename the folder")
        return
    read = workspace.templates(name, spec)
    unreadable = {problem.location for problem in workspace.problems}
    for file in spec.files:
        path = f"{workspace.folders[name]}/{file.template}"
        if file.template not in read and Location(path) not in unreadable:
            yield document.problem(("files", file.path, "template"), f"there is no file {path}")
