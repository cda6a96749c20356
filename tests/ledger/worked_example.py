"""Reads a worked example, as an accountant would write it down, from the docstring of a test.

A docstring holds tables under headings: ``Accounts``, ``Journal``, and what must come of them:
``Balances on <date>``, ``Trial balance on <date>``, ``Statement of <account>``. The accounts are opened and the
journal is posted line by line through the services; ``agree`` then compares every table with the books.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from ledger.models import Account, AccountType, Company
from ledger.money import format_amount
from ledger.selectors import balance_on, statement, trial_balance
from ledger.services.posting import Line, Posting, post, reverse
from tests.ledger.factories import CompanyFactory, open_account

Row = dict[str, str]
Table = list[Row]


def tables_of(text: str) -> Iterator[tuple[str, Table]]:
    """The tables of a text with the heading above each."""
    heading = ""
    columns: list[str] = []
    rows = Table()
    for line in [*map(str.strip, text.splitlines()), ""]:
        if line.startswith("|-"):
            continue
        if line.startswith("|"):
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            if columns:
                rows.append(dict(zip(columns, cells, strict=True)))
            columns = columns or cells
            continue
        if columns:
            yield heading, rows
            columns, rows = [], Table()
        heading = line or heading


def amount_of(cell: str) -> Decimal | None:
    return Decimal(cell.replace(",", "")) if cell else None


def written(amount: Decimal, currency: str) -> str:
    """An amount as it stands in a table: nothing for zero, thousands apart."""
    return f"{Decimal(format_amount(amount, currency)):,}" if amount else ""


@dataclass
class WorkedExample:
    """The books of one example and the tables that they must agree with."""

    text: str
    company: Company = field(default_factory=CompanyFactory.create)
    accounts: dict[str, Account] = field(default_factory=dict)
    entries: dict[str, UUID] = field(default_factory=dict)
    expected: list[tuple[str, Table]] = field(default_factory=list)

    def __post_init__(self) -> None:
        for heading, table in tables_of(self.text):
            match heading:
                case "Accounts":
                    self._open(table)
                case "Journal":
                    self._post(table)
                case _:
                    self.expected.append((heading, table))

    def _open(self, table: Table) -> None:
        for row in table:
            self.accounts[row["account"]] = open_account(
                self.company,
                code=row["account"],
                type=AccountType(row["type"]),
                currency=row.get("currency") or None,
                minimum=row.get("minimum") or None,
            )

    def _post(self, table: Table) -> None:
        bookings: list[Table] = []
        for row in table:
            if row["no"]:
                bookings.append([row])
            else:
                bookings[-1].append(row)
        for booking in bookings:
            with transaction.atomic():
                self.entries[booking[0]["no"]] = self._book(booking)

    def _book(self, booking: Table) -> UUID:
        first = booking[0]
        on = date.fromisoformat(first["date"])
        reference = f"{self.company.pk}:{first['no']}"
        undone = re.fullmatch(r"Reversal of (\w+)", first["booking"])
        if undone:
            return reverse(
                journal_entry_id=self.entries[undone[1]],
                reference=reference,
                description=first["booking"],
                effective_on=on,
            )
        lines = tuple(self._line(row) for row in booking)
        return post(Posting(self.company.pk, reference, first["booking"], on, lines))

    def _line(self, row: Row) -> Line:
        account = self.accounts[row["account"]]
        debit, credit = amount_of(row["debit"]), amount_of(row["credit"])
        side, amount = ("debit", debit) if debit else ("credit", credit)
        assert amount is not None, row
        return Line(account.pk, side, amount, account.currency)

    def agree(self) -> None:
        """Compare every table of the text with the books."""
        assert self.expected, "the example says nothing of what comes of it"
        kinds: dict[str, Callable[[str], Table]] = {
            "Balances on": self._balances,
            "Trial balance on": self._trial_balance,
            "Statement of": self._statement,
        }
        for heading, table in self.expected:
            (kind,) = (kind for kind in kinds if heading.startswith(kind))
            assert kinds[kind](heading.removeprefix(kind).strip()) == table, heading

    def _balances(self, on: str) -> Table:
        return [
            {
                "account": code,
                "balance": written(balance_on(account, date.fromisoformat(on)), account.currency),
            }
            for code, account in self.accounts.items()
        ]

    def _trial_balance(self, on: str) -> Table:
        found = trial_balance(self.company, date.fromisoformat(on))
        rows = {row.account.code: row for row in found.rows}
        table = [
            {
                "account": code,
                "debit": written(rows[code].debit, account.currency),
                "credit": written(rows[code].credit, account.currency),
            }
            for code, account in self.accounts.items()
        ]
        for currency, (debit, credit) in sorted(found.totals.items()):
            sums = {"debit": written(debit, currency), "credit": written(credit, currency)}
            table.append({"account": f"Total {currency}", **sums})
        return table

    def _statement(self, code: str) -> Table:
        account = self.accounts[code]
        return [
            {
                "date": entry.effective_on.isoformat(),
                "booking": entry.journal_entry.description,
                entry.side: written(entry.amount, account.currency),
                {"debit": "credit", "credit": "debit"}[entry.side]: "",
                "balance": written(entry.balance_after, account.currency) or "0",
            }
            for entry in statement(account)
        ]
