from __future__ import annotations

from collections.abc import Callable

import pytest

from ecluse.config.quantity import parse_cpu, parse_duration, parse_size


@pytest.mark.parametrize(
    ("parse", "written", "number"),
    [
        (parse_cpu, "100m", 100),
        (parse_cpu, "0.5", 500),
        (parse_cpu, 0.25, 250),
        (parse_cpu, 2, 2000),
        (parse_size, "128Mi", 128 * 1024**2),
        (parse_size, "1Gi", 1024**3),
        (parse_size, "1.5Gi", 3 * 1024**3 // 2),
        (parse_size, "500M", 500_000_000),
        (parse_size, "64Ki", 65_536),
        (parse_duration, "30s", 30.0),
        (parse_duration, "5m", 300.0),
        (parse_duration, "1h30m", 5400.0),
        (parse_duration, "250ms", 0.25),
        (parse_duration, "1.5s", 1.5),
        (parse_duration, "0s", 0.0),
        (parse_duration, "2d", 172_800.0),
    ],
)
def test_a_quantity_is_read(parse: Callable[[object], float], written: object, number: float) -> None:
    assert parse(written) == number


@pytest.mark.parametrize("written", ["", "0", "-1", "1.0005", True, None, "1e3", [], "2000000m", "one"])
def test_what_is_no_number_of_cores_says_what_it_must_be(written: object) -> None:
    with pytest.raises(ValueError, match="must be a number of cores like 100m, 0.5 or 2"):
        parse_cpu(written)


@pytest.mark.parametrize(
    "written", ["128", 128, "0Mi", "Mi", "128 Mi", "128mi", "-1Gi", None, "9" * 15 + "Pi"]
)
def test_what_is_no_size_says_what_it_must_be(written: object) -> None:
    with pytest.raises(ValueError, match="must be a size like 128Mi, 1Gi or 500M"):
        parse_size(written)


@pytest.mark.parametrize("written", ["", "30", 30, "s", "30m1h", "1.5h", "5 m", None, "-3s"])
def test_what_is_no_duration_says_what_it_must_be(written: object) -> None:
    with pytest.raises(ValueError, match="must be a duration like 30s, 5m or 1h30m"):
        parse_duration(written)


def test_a_duration_of_years_is_refused() -> None:
    with pytest.raises(ValueError, match="must be a duration of at most 366d"):
        parse_duration("9000d")
