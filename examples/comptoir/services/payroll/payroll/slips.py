"""What a month costs: pure computation on cents."""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from payroll.errors import Invalid


@dataclass(frozen=True)
class Employee:
    code: str
    job: str
    salary_cents: int


@dataclass(frozen=True)
class Slip:
    """One employee's month."""

    employee: Employee
    month: str
    gross_cents: int
    contribution_cents: int

    def entries(self) -> list[dict[str, str | int]]:
        """What accounting is told: the salary that we owe, and the employer's contributions."""
        return [
            self._entry("gross", "641000", "421000", self.gross_cents),
            self._entry("contributions", "645000", "431000", self.contribution_cents),
        ]

    def _entry(self, part: str, debit: str, credit: str, cents: int) -> dict[str, str | int]:
        return {
            "date": last_day(self.month),
            "label": f"Paie {self.month} {self.employee.job}",
            "debit": debit,
            "credit": credit,
            "amount_cents": cents,
            "source": "payroll",
            "reference": f"{self.month}/{self.employee.code}/{part}",
        }


def parse_month(text: object) -> str:
    if not isinstance(text, str) or not re.fullmatch(r"20\d\d-(0[1-9]|1[0-2])", text):
        raise Invalid("month: YYYY-MM is needed")
    return text


def last_day(month: str) -> str:
    year, number = map(int, month.split("-"))
    return f"{month}-{monthrange(year, number)[1]}"


def slip(employee: Employee, month: str, rate: Decimal) -> Slip:
    """`rate` is the employer's share in per cent."""
    share = (employee.salary_cents * rate / 100).quantize(Decimal(1), rounding=ROUND_HALF_UP)
    return Slip(employee, month, employee.salary_cents, int(share))
