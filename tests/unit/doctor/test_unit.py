from pathlib import Path

from ecluse.doctor.unit import unit, unit_name


def test_the_unit_starts_the_runner_at_boot() -> None:
    assert unit_name("comptoir") == "ecluse-comptoir.service"
    text = unit("comptoir", Path("/var/lib/ecluse"), Path("/opt/ecluse/bin/ecluse"))
    assert "ExecStart=/opt/ecluse/bin/ecluse runner --product comptoir\n" in text
    assert 'Environment="ECLUSE_STATE=/var/lib/ecluse"\n' in text
    assert "WantedBy=multi-user.target\n" in text


def test_paths_are_written_as_systemd_reads_them() -> None:
    text = unit("comptoir", Path("/srv/50% state"), Path("/opt/my tools/ecluse"))
    assert 'ExecStart="/opt/my tools/ecluse" runner' in text
    assert 'Environment="ECLUSE_STATE=/srv/50%% state"' in text
