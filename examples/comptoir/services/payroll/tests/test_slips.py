"""Slips are computed to the cent."""

from decimal import Decimal

import pytest

from payroll.errors import Invalid
from payroll.slips import Employee, last_day, parse_month, slip

ECLUSIER = Employee("E-001", "Éclusier", 245000)


def test_the_contribution_is_rounded_half_up():
    assert slip(ECLUSIER, "2026-01", Decimal("42")).contribution_cents == 102900
    assert slip(Employee("E-009", "Essai", 10), "2026-01", Decimal("45")).contribution_cents == 5


def test_a_slip_is_two_entries_that_accounting_recognises_again():
    entries = slip(ECLUSIER, "2026-02", Decimal("42")).entries()

    assert [entry["reference"] for entry in entries] == ["2026-02/E-001/gross", "2026-02/E-001/contributions"]
    assert {entry["date"] for entry in entries} == {"2026-02-28"}


def test_february_knows_leap_years():
    assert last_day("2028-02") == "2028-02-29"


@pytest.mark.parametrize("text", ["2026-13", "janvier", "", None, 202601])
def test_what_is_not_a_month_is_refused(text):
    with pytest.raises(Invalid, match="month:"):
        parse_month(text)
