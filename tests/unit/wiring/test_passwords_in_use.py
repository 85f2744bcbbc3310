"""Passwords that follow from another key are found where they are in use, and only those are kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ecluse.delivery.plan import make_plan
from ecluse.model.application import BackingService, File, Passwords, password_purpose
from ecluse.model.names import ServiceName
from ecluse.model.plan import Intent
from ecluse.model.product import BackingKind
from ecluse.model.secret import Sealed, Text
from ecluse.secrets.memory import MemorySecrets, MemoryVault
from ecluse.wiring.passwords_in_use import InUse, found_in_use
from ecluse.wiring.recollection import Recollection
from tests.unit.delivery.samples import NOTHING, TARGET, application, desired, running

WEB = ServiceName("web")
NOW, BEFORE = MemoryVault(b"the key of now"), MemoryVault(b"the key of before")


def password(vault: MemoryVault, name: str, turn: int = 1) -> str:
    return vault.derive(password_purpose(TARGET.environment, name, "web", turn))


def backing(name: str = "db", kind: BackingKind = "postgresql") -> BackingService:
    root = NOW.seal(NOW.derive(password_purpose(TARGET.environment, name, "root", 1)))
    return BackingService(name, kind, "1", None, None, None, None, root, {WEB: NOW.seal(password(NOW, name))})


def intent(
    *behind: BackingService, settings: Mapping[str, str] | None = None, file: str | None = None
) -> Intent:
    """web, with these settings and this file as the key of now would make them."""
    texts: dict[str, Text] = {key: NOW.seal(text) for key, text in (settings or {}).items()}
    files = (File("/srv/conf", NOW.seal(file), 0o440),) if file else ()
    web = application("web", settings=texts, files=files, backing=tuple(item.name for item in behind))
    wanted = desired(web, backing=behind)
    plan = make_plan(wanted, running(), NOTHING, [])
    return Intent(TARGET, plan, wanted.applications, {}, {}, backing=wanted.backing, previous_backing={})


def found(wanted: Intent, there: Recollection, told: Passwords | None = None, **given: str) -> InUse:
    passwords = {name: told or Passwords() for name in wanted.backing}
    secrets = MemorySecrets({f"web/{key.replace('__', '.')}": text for key, text in given.items()})
    return found_in_use(wanted, passwords, {WEB: there}, secrets, NOW)


def kept(seen: InUse, name: str = "db") -> tuple[str, int]:
    account = seen.backing[name].accounts[WEB]
    assert isinstance(account, Sealed)
    return NOW.reveal(account), seen.backing[name].turn(WEB)


def url(vault: MemoryVault, name: str = "db", login: str = "web", turn: int = 1) -> str:
    return f"postgresql://{login}:{password(vault, name, turn)}@{name}:5432/web"


def test_what_the_key_of_now_gives_needs_nothing() -> None:
    seen = found(intent(backing(), settings={"URL": url(NOW)}), Recollection({"URL": url(NOW)}))
    assert seen == InUse()


def test_a_password_of_another_key_is_taken_from_a_setting_and_the_root_from_the_server() -> None:
    there = Recollection({"URL": url(BEFORE)})
    seen = found(intent(backing(), settings={"URL": url(NOW)}), there, Passwords("the root of it"))
    assert kept(seen) == (password(BEFORE, "db"), 1)
    root = seen.backing["db"].root_password
    assert isinstance(root, Sealed)
    assert NOW.reveal(root) == "the root of it"


def test_a_rotated_password_of_the_key_of_now_is_known_by_its_turn() -> None:
    there = Recollection({"URL": url(NOW, turn=4, login="web.b")})
    seen = found(intent(backing(), settings={"URL": url(NOW)}), there)
    assert kept(seen) == (password(NOW, "db", 4), 4)


def test_the_other_login_of_postgresql_is_known_by_its_name() -> None:
    seen = found(
        intent(backing(), settings={"URL": url(NOW)}), Recollection({"URL": url(BEFORE, login="web.b")})
    )
    assert kept(seen) == (password(BEFORE, "db"), 2)


def test_a_file_of_a_template_tells_two_passwords_apart() -> None:
    text = "# [a]\nfirst = {}\nsecond = {} and {}\n"
    behind = (backing(), backing("sessions", "redis"))
    wanted = intent(*behind, file=text.format(password(NOW, "db"), *2 * [password(NOW, "sessions")]))
    there = text.format(password(BEFORE, "db"), *2 * [password(BEFORE, "sessions")])
    seen = found(wanted, Recollection(files={"/srv/conf": there}))
    assert kept(seen)[0] == password(BEFORE, "db")
    assert kept(seen, "sessions")[0] == password(BEFORE, "sessions")


def test_what_nobody_can_tell_is_asked_for_and_its_account_is_not_touched() -> None:
    wanted = intent(backing(), file=f"new line\n{password(NOW, 'db')}")
    there = Recollection(files={"/srv/conf": password(BEFORE, "db")})
    seen = found(wanted, there)
    assert seen.unknown == {"db": [WEB]}
    assert seen.without_unknown(wanted.backing)["db"].accounts == {}
    seen = found(wanted, there, backing__db__password="said")
    assert (kept(seen)[0], seen.unknown) == ("said", {})


def test_who_does_not_use_its_password_has_none_to_keep() -> None:
    wanted = intent(backing(), settings={"OTHER": "x"})
    assert found(wanted, Recollection({"OTHER": "x"})) == InUse()


def test_a_store_that_knows_its_clients_tells_their_passwords() -> None:
    told = Passwords(None, {WEB: password(BEFORE, "db")})
    seen = found(intent(replace(backing(), kind="s3")), Recollection(), told)
    assert kept(seen)[0] == password(BEFORE, "db")
    assert password(BEFORE, "db") not in repr((told, Recollection({"URL": url(BEFORE)})))
