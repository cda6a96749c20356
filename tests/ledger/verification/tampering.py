"""What an intruder who is PostgreSQL's superuser does to the books, and what is found of it."""

from typing import Any

import psycopg
from django.conf import settings
from django.db import transaction

from ledger.models import Account, LedgerEntry
from ledger.services.verification import Report
from tests.properties.reference_ledger import seal_entry

Superuser = psycopg.Connection


def checks(report: Report) -> set[str]:
    return {fault.check for fault in report.faults}


def make_numbers_follow(intruder: Superuser) -> None:
    """Recompute every balance, account row and daily total, as a careful intruder would."""
    intruder.execute(
        # Out of the way first: numbers are unique at each row of a statement, in whatever order it goes.
        "UPDATE ledger_ledgerentry SET sequence = sequence + 1000000;"
        "UPDATE ledger_ledgerentry entry SET balance_after = due.balance, sequence = due.number FROM ("
        "  SELECT line.id, sum(CASE WHEN line.side = account.normal_side THEN amount ELSE -amount END)"
        "      OVER history AS balance, count(*) OVER history AS number"
        "  FROM ledger_ledgerentry line JOIN ledger_account account ON account.id = line.account_id"
        "  WINDOW history AS (PARTITION BY line.account_id ORDER BY line.sequence)) due"
        " WHERE due.id = entry.id;"
        "UPDATE ledger_account account SET balance = last.balance_after, entry_count = last.sequence,"
        "    chain_head = last.chain_hash, last_posted_at = last.posted_at"
        "  FROM (SELECT DISTINCT ON (account_id) * FROM ledger_ledgerentry"
        "        ORDER BY account_id, sequence DESC) last WHERE last.account_id = account.id;"
        "DELETE FROM ledger_dailytotal;"
        'INSERT INTO ledger_dailytotal (account_id, "on", debit, credit)'
        "  SELECT account_id, effective_on, coalesce(sum(amount) FILTER (WHERE side = 'debit'), 0),"
        "      coalesce(sum(amount) FILTER (WHERE side = 'credit'), 0)"
        "  FROM ledger_ledgerentry GROUP BY account_id, effective_on"
    )


def cut(intruder: Superuser, entry: Any) -> None:
    intruder.execute("DELETE FROM ledger_ledgerentry WHERE journal_entry_id = %s", [entry])
    intruder.execute("DELETE FROM ledger_journalentry WHERE id = %s", [entry])


def entry_of(account: Account, sequence: int) -> Any:
    return LedgerEntry.objects.get(account=account, sequence=sequence).journal_entry_id


def rewrite(intruder: Superuser) -> None:
    """Seal every entry anew under the right key, as somebody could who has stolen it."""
    make_numbers_follow(intruder)
    with transaction.atomic():
        for account in Account.objects.all():
            seal = b""
            lines = LedgerEntry.objects.filter(account=account).select_related("journal_entry")
            for line in lines.order_by("sequence"):
                seal = seal_entry(settings.BURSAR_CHAIN_KEY, seal, line)
                intruder.execute(
                    "UPDATE ledger_ledgerentry SET chain_hash = %s WHERE id = %s", [seal, line.pk]
                )
    make_numbers_follow(intruder)
