"""Words in: which parts to run. Each part prints what it measured."""

from __future__ import annotations

import argparse

from benchmarks.corpus import names
from benchmarks.installed import end_tidily
from benchmarks.shown import show_machine

PARTS = ("start", "resolve", "plan", "replace", "faults", "secrets", "causes")


def main() -> None:
    parser = _parser()
    asked = parser.parse_args()
    for part in set(asked.parts) - set(PARTS):
        parser.error(f"there is no part {part}; there are {', '.join(PARTS)}")
    end_tidily()
    show_machine()
    for part in asked.parts or PARTS:
        _run(part, asked)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Measures Écluse beside what one would use instead.")
    parser.add_argument(
        "parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)}; all of them by default"
    )
    parser.add_argument("--rounds", type=int, help="replacements by ecluse (50), or of each cause (1)")
    parser.add_argument("--rival-rounds", type=int, default=10, help="replacements by each rival")
    parser.add_argument(
        "--sizes", type=int, nargs="+", default=[1, 10, 100], help="services in the plan part"
    )
    parser.add_argument("--kills", type=int, default=200, help="of the runner, in the faults part")
    parser.add_argument("--seed", type=int, default=1, help="of the moments in the faults part")
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="NAME",
        choices=names(),
        help="this case of the causes part",
    )
    return parser


def _run(part: str, asked: argparse.Namespace) -> None:
    match part:
        case "start":
            from benchmarks.start import bench_start

            bench_start()
        case "resolve":
            from benchmarks.resolve import bench_resolve

            bench_resolve()
        case "plan":
            from benchmarks.plan import bench_plan

            bench_plan(asked.sizes)
        case "replace":
            from benchmarks.replace import bench_replace

            bench_replace(asked.rounds or 50, asked.rival_rounds)
        case "faults":
            from benchmarks.faults import bench_faults

            if bench_faults(asked.kills, asked.seed):
                raise SystemExit(1)
        case "secrets":
            from benchmarks.secrets import bench_secrets

            bench_secrets()
        case "causes":
            from benchmarks.causes import bench_causes

            if bench_causes(asked.only, asked.rounds or 1):
                raise SystemExit(1)
