"""The systemd unit that starts a product's runner at boot. Pure; systemd.service(5)."""

from __future__ import annotations

from pathlib import Path

_UNIT = """\
[Unit]
Description=Écluse runner of {product}
Wants=network-online.target docker.service
After=network-online.target docker.service
StartLimitIntervalSec=0

[Service]
ExecStart={executable} runner --product {product}
Environment="ECLUSE_STATE={state}"
UMask=0077
# Also when another runner holds the product: it takes over when that one ends.
Restart=always
RestartSec=5
# What it has in hand goes on with the next one.
KillSignal=SIGTERM
TimeoutStopSec=20

[Install]
WantedBy=multi-user.target
"""


def unit(product: str, state: Path, executable: Path) -> str:
    """The text of `/etc/systemd/system/ecluse-PRODUCT.service`; `state` holds that of all products."""
    return _UNIT.format(product=product, state=_quoted(state), executable=_escaped(executable))


def unit_name(product: str) -> str:
    return f"ecluse-{product}.service"


def _quoted(path: Path) -> str:
    return str(path).replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")


def _escaped(path: Path) -> str:
    text = str(path).replace("\\", "\\\\").replace("%", "%%").replace("$", "$$").replace('"', '\\"')
    return f'"{text}"' if " " in text else text
