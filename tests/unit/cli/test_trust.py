from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ecluse.cli.commands.trust import ways
from ecluse.cli.status_view import show_status
from ecluse.errors import NotFound, UsageError
from ecluse.model.names import EnvironmentName
from ecluse.model.status import EnvironmentStatus
from ecluse.settings import read_settings
from ecluse.wiring.trust import find_authority


def test_each_system_gets_the_command_that_trusts() -> None:
    lines = ways(Path("/srv/authority.crt"))
    assert lines[1:4] == [
        "Debian and Ubuntu: curl, git, PHP, Python’s ssl:",
        "  sudo install -m 0644 /srv/authority.crt /usr/local/share/ca-certificates/ecluse.crt",
        "  sudo update-ca-certificates",
    ]
    assert not [line for line in lines if "{path}" in line]


def test_a_machine_without_authority_says_when_there_will_be_one(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="with the first deployment that answers over HTTPS"):
        find_authority(read_settings({"ECLUSE_STATE": str(tmp_path)}))


@pytest.mark.parametrize(
    ("days", "line"),
    [(31, ""), (29, "the certificate expires in 29 days"), (-1, "the certificate has expired")],
)
def test_the_status_warns_of_a_certificate_that_ends_soon(
    days: int, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    ends = datetime.now(UTC) + timedelta(days=days, hours=1)
    show_status([EnvironmentStatus(EnvironmentName("test"), True, "running", (), (), (), False, (), ends)])
    said = capsys.readouterr().out
    assert line in said
    assert ("certificate" in said) is bool(line)


def test_the_https_port_may_be_none() -> None:
    assert read_settings({}).edge_https_port == 443
    assert read_settings({"ECLUSE_EDGE_HTTPS_PORT": "0"}).edge_https_port == 0
    with pytest.raises(UsageError):
        read_settings({"ECLUSE_EDGE_HTTPS_PORT": "-1"})
