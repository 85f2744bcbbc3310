"""The product's files, read once from the working tree or from a git revision. The only reader of files."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from ecluse.config.document import Document, read_document
from ecluse.config.git import Commit, Git, find_git
from ecluse.config.tree import Committed, Tree, Unreadable, committed
from ecluse.errors import Location, NotFound, Problem, Refused
from ecluse.model.names import EnvironmentName, ProductName, ServiceName
from ecluse.model.service import ServiceSpec
from ecluse.model.source import Source

PRODUCT_FILE = "ecluse.yaml"
TWINS = (".sops.yaml", ".sops.yml", ".sops.json", ".sops.env")


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """Where a service's folder stands: the last commit that touched it (short), and whether it differs."""

    commit: str | None
    is_dirty: bool


@dataclass(frozen=True, slots=True)
class Workspace:
    """The text files of a product, frozen.

    documents: every YAML file, parsed. texts: every file that was read. folders: service → its folder.
    encrypted: files that only SOPS can read, which are texts here.
    revision: a commit, or `tree:<hash>` when the files differ from it. commit: of a revision, or HEAD.
    """

    root: Path
    documents: Mapping[str, Document]
    texts: Mapping[str, str]
    folders: Mapping[str, str]
    encrypted: tuple[str, ...]
    problems: tuple[Problem, ...]
    revision: str
    dirty: bool
    is_revision: bool
    git: Git | None

    def source_facts(self, service: ServiceName) -> SourceFacts:
        if not self.git:
            return SourceFacts(None, is_dirty=True)
        folder = self.folders[service]
        return SourceFacts(self.git.last_commit(folder), self.git.is_dirty(folder))

    def source(self, product: ProductName, service: ServiceName, spec: ServiceSpec) -> Source:
        """The service's folder, ready to build; Refused when this is not the working tree."""
        if self.is_revision:
            raise Refused(f"images are built from the working tree, not from {self.revision[:12]}")
        folder, facts = self.folders[service], self.source_facts(service)
        return Source(
            product=product,
            service=service,
            folder=str(self.root / folder),
            image=spec.image,
            service_yaml=self.texts[f"{folder}/service.yaml"],
            templates=self.templates(service, spec),
            commit=facts.commit,
            dirty=facts.is_dirty,
        )

    def templates(self, service: ServiceName, spec: ServiceSpec) -> Mapping[str, str]:
        """The text of each template that the service names, as far as it could be read."""
        paths = {file.template: _joined(self.folders[service], file.template) for file in spec.files}
        return {name: self.texts[path] for name, path in paths.items() if path in self.texts}

    def commit_of(self, location: Location) -> str | None:
        """The commit that wrote a line (short); None when it is not committed."""
        if not self.git or not location.line or location.file not in self.texts:
            return None
        return self.git.line_commit(location.file, location.line, self.revision if self.is_revision else None)

    def author_of(self, location: Location) -> Commit | None:
        """Who wrote a line, when and why; None when it is not committed."""
        if not self.git or not location.line or location.file not in self.texts:
            return None
        return self.git.line_author(location.file, location.line, self.revision if self.is_revision else None)

    def lock_text(self, environment: EnvironmentName) -> str | None:
        return self.texts.get(lock_file(environment))


def lock_file(environment: EnvironmentName) -> str:
    return f"environments/{environment}.lock.yaml"


def open_workspace(
    root: Path, revision: str | None = None, *, instead: Mapping[str, str] | None = None
) -> Workspace:
    """The product in folder `root`; NotFound when there is none. What cannot be read is in `problems`.

    instead: texts that take the place of files, to see what an edit would do.
    """
    root = root.absolute()
    git = find_git(root) if root.is_dir() else None
    if revision is not None and git is None:
        raise NotFound(f"{root} is not in a git repository: it has no revision {revision}")
    is_revision = git is not None and revision is not None
    commit = git.commit(revision) if git and revision is not None else git.head() if git else None
    files = committed(git, commit) if git and commit and is_revision else Tree(root, instead or {})
    reading = _Reading(files)
    if not reading.document(PRODUCT_FILE):
        raise NotFound(f"no {PRODUCT_FILE} in {root}", hint="`ecluse init` writes one")
    reading.everything()
    dirty = not is_revision and _differs(git, commit, reading.texts)
    return Workspace(
        root=root,
        documents=reading.documents,
        texts=reading.texts,
        folders=reading.folders,
        encrypted=tuple(reading.encrypted),
        problems=tuple(reading.problems),
        revision=commit if commit and not dirty else _tree_hash(reading.texts),
        dirty=dirty,
        is_revision=is_revision,
        git=git,
    )


def write_layer(root: Path, file: str, text: str) -> None:
    """Replaces a layer file at once, with the rights it had; its folders are made where they are missing."""
    path = (root / file).resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_text(text, encoding="utf-8", newline="")
    if path.exists():
        beside.chmod(path.stat().st_mode & 0o7777)
    beside.replace(path)


def write_lock(root: Path, environment: EnvironmentName, text: str) -> Path:
    """Replaces an environment's lockfile at once: a reader sees the old one or the new one."""
    path = root / lock_file(environment)
    path.parent.mkdir(exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)
    return path


@dataclass(slots=True)
class _Reading:
    files: Tree | Committed
    documents: dict[str, Document] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    folders: dict[str, str] = field(default_factory=dict)
    encrypted: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def everything(self) -> None:
        everything = list(self.files.names())
        self.encrypted += [name for name in everything if _is_twin(name) and self.text(name) is not None]
        names = [name for name in everything if _is_yaml(name) and not _is_twin(name)]
        self.folders |= {_folder_name(name): _folder(name) for name in names if name.startswith("services/")}
        self.folders |= self._named_folders()
        for name in names:
            if name.endswith(".lock.yaml"):
                self.text(name)
            elif not name.startswith("services/"):
                self.document(name)
        for name, folder in list(self.folders.items()):
            if not self.service(folder):
                del self.folders[name]

    def _named_folders(self) -> dict[str, str]:
        """Services that live elsewhere in the product, as ecluse.yaml says."""
        value = self.documents[PRODUCT_FILE].value
        entries = value.get("services") if isinstance(value, dict) else None
        found = {}
        for name, entry in (entries if isinstance(entries, dict) else {}).items():
            path = entry.get("path") if isinstance(entry, dict) else None
            if isinstance(path, str) and _is_inside(path):
                found[name] = str(PurePosixPath(path))
        return found

    def service(self, folder: str) -> bool:
        """Reads a service and its templates; whether there is one, readable or not."""
        file = f"{folder}/service.yaml"
        document = self.document(file)
        value = document.value if document else None
        files = value.get("files") if isinstance(value, dict) else None
        for entry in (files if isinstance(files, dict) else {}).values():
            template = entry.get("template") if isinstance(entry, dict) else None
            if isinstance(template, str) and _is_inside(template):
                self.text(_joined(folder, template))
        return document is not None or any(problem.location.file == file for problem in self.problems)

    def document(self, path: str) -> Document | None:
        text = self.text(path)
        if text is not None and path not in self.documents:
            self.documents[path] = read_document(text, path)
        return self.documents.get(path)

    def text(self, path: str) -> str | None:
        if path not in self.texts:
            try:
                content = self.files.read(path)
                if content is None:
                    return None
                self.texts[path] = _decoded(content)
            except Unreadable as error:
                problem = Problem(Location(path, error.line), "", str(error), error.hint)
                self.problems.append(problem)
                if path == PRODUCT_FILE:
                    self.documents[path] = Document(path, None, {}, (problem,))
        return self.texts.get(path)


def _decoded(content: bytes) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise Unreadable("is not UTF-8", line=line, hint="save the file as UTF-8") from None


def _is_yaml(path: str) -> bool:
    name = path.rsplit("/", 1)[-1]
    return name.endswith((".yaml", ".yml")) and not name.startswith(".")


def _is_twin(path: str) -> bool:
    name = path.rsplit("/", 1)[-1]
    return path.startswith("config/") and name.endswith(TWINS) and not name.startswith(".")


def _folder(path: str) -> str:
    return path.rpartition("/")[0]


def _folder_name(path: str) -> str:
    return PurePosixPath(path).parent.name


def _is_inside(path: str) -> bool:
    return bool(path) and not path.startswith("/") and ".." not in path.split("/") and "\0" not in path


def _joined(folder: str, path: str) -> str:
    return str(PurePosixPath(folder) / path)


def _differs(git: Git | None, commit: str | None, texts: Iterable[str]) -> bool:
    """Whether what was read differs from HEAD. Lockfiles do not count: they are an export."""
    if not git or not commit:
        return True
    relevant = {path for path in texts if not path.endswith(".lock.yaml")}
    changed = git.changed()
    gone = {path for path in changed if path.startswith("config/") or path.endswith("service.yaml")}
    return bool(relevant - git.tracked() or changed & relevant or gone)


def _tree_hash(texts: Mapping[str, str]) -> str:
    digest = hashlib.sha256()
    for path in sorted(texts):
        if not path.endswith(".lock.yaml"):
            digest.update(f"{path}\0{len(texts[path])}\0{texts[path]}".encode())
    return f"tree:{digest.hexdigest()[:16]}"
