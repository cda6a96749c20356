"""Proof that the books are as they were written.

Everything is recomputed from the ledger entries with PostgreSQL's core functions; none of our own SQL
functions is trusted. Each check returns its first faults, and an empty report is the proof.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from heapq import heapreplace
from typing import Any
from uuid import UUID

import psycopg
from django.db import connection

from ledger import anchors
from ledger.chain import padded_keys
from ledger.reports import READERS, side_by_side

FAULTS_SHOWN = 20
# In which order what was found is told.
ORDER = ("key", "entries", "accounts", "journal", "daily totals")
Job = Callable[[], Any]


@dataclass(frozen=True, slots=True)
class Fault:
    """One place where the books differ from what was written: which check, where, and how."""

    check: str
    place: str
    detail: str


@dataclass(frozen=True, slots=True)
class Report:
    """What a verification looked at and found; ``holds`` is whether everything agrees."""

    entries: int
    accounts: int
    anchored: int
    faults: Sequence[Fault]

    @property
    def holds(self) -> bool:
        return not self.faults


# The key is the one that sealed the first entry; under another one every seal would look broken.
KEY = """
    SELECT 'the configured key', 'it is not the key that seals this ledger: set BURSAR_CHAIN_KEY right'
    FROM ledger_chainkey
    WHERE fingerprint <> sha256(%(outer)s::bytea || sha256(%(inner)s::bytea
                                || convert_to('bursar chain key', 'UTF8')))
    LIMIT %(limit)s
"""

# Every entry follows the one before it in its account: number, balance and seal.
ENTRIES = """
    WITH chained AS (
        SELECT entry.id, entry.account_id, entry.sequence, entry.chain_hash, entry.balance_after,
            lag(entry.sequence, 1, 0::bigint) OVER previous + 1 AS due_sequence,
            lag(entry.balance_after, 1, 0::numeric) OVER previous
                + CASE WHEN entry.side = account.normal_side THEN entry.amount ELSE -entry.amount END
                AS due_balance,
            sha256(%(outer)s::bytea || sha256(%(inner)s::bytea || convert_to(jsonb_build_array(
                'v1', encode(lag(entry.chain_hash, 1, ''::bytea) OVER previous, 'hex'),
                entry.account_id, entry.sequence, entry.id,
                jsonb_build_array(journal.id, journal.company_id, journal.reference,
                    journal.description, journal.effective_on::text, journal.posted_by_id,
                    journal.reversal_of_id, (extract(epoch FROM journal.posted_at) * 1000000)::bigint,
                    encode(journal.content_hash, 'hex')),
                entry.side, entry.amount, entry.currency, entry.balance_after,
                (extract(epoch FROM entry.posted_at) * 1000000)::bigint)::text, 'UTF8'))) AS due_hash,
            journal.id IS NOT NULL AS has_journal, account.id IS NOT NULL AS has_account,
            entry.effective_on = journal.effective_on AS dated,
            (entry.company_id, entry.company_id, entry.currency)
                = (journal.company_id, account.company_id, account.currency) AS belongs
        FROM ledger_ledgerentry entry
        LEFT JOIN ledger_account account ON account.id = entry.account_id
        LEFT JOIN ledger_journalentry journal ON journal.id = entry.journal_entry_id
        WHERE {chosen}
        WINDOW previous AS (PARTITION BY entry.account_id ORDER BY entry.sequence)
    )
    SELECT account_id || ' entry ' || sequence,
        CASE WHEN sequence <> due_sequence THEN 'entries before it are missing'
             WHEN NOT has_account THEN 'its account is missing'
             WHEN NOT has_journal THEN 'its journal entry is missing'
             WHEN balance_after <> due_balance THEN 'its balance does not follow'
             WHEN NOT dated THEN 'its date differs from its journal entry'
             WHEN NOT belongs THEN 'it is not of its account''s currency and company'
             ELSE 'its seal is broken: it was edited or not written by Bursar' END
    FROM chained
    WHERE sequence <> due_sequence OR balance_after IS DISTINCT FROM due_balance
        OR dated IS NOT TRUE OR belongs IS NOT TRUE OR chain_hash IS DISTINCT FROM due_hash
    ORDER BY account_id, sequence LIMIT %(limit)s
"""

# The numbers on the account's row are those of its last entry, and what is held is what its holds say.
ACCOUNTS = """
    SELECT account.id::text,
        CASE WHEN account.entry_count <> coalesce(last.sequence, 0) THEN
                 'it counts ' || account.entry_count || ' entries, its last is ' || coalesce(last.sequence, 0)
             WHEN account.balance <> coalesce(last.balance_after, 0) THEN
                 'its balance is ' || account.balance || ', its last entry says ' || coalesce(last.balance_after, 0)
             WHEN account.held <> coalesce(holds.amount, 0) THEN
                 'it holds ' || account.held || ', its open holds come to ' || coalesce(holds.amount, 0)
             WHEN account.last_posted_at IS DISTINCT FROM last.posted_at THEN
                 'its last instant is not that of its last entry'
             ELSE 'its chain head is not the seal of its last entry' END
    FROM ledger_account account
    LEFT JOIN LATERAL (SELECT sequence, balance_after, chain_hash, posted_at FROM ledger_ledgerentry
                       WHERE account_id = account.id ORDER BY sequence DESC LIMIT 1) last ON true
    LEFT JOIN (SELECT hold.account_id, sum(hold.amount) AS amount
               FROM ledger_hold hold LEFT JOIN ledger_holdrelease release ON release.hold_id = hold.id
               WHERE release.hold_id IS NULL GROUP BY hold.account_id) holds
        ON holds.account_id = account.id
    WHERE account.entry_count <> coalesce(last.sequence, 0)
        OR account.balance <> coalesce(last.balance_after, 0)
        OR account.chain_head <> coalesce(last.chain_hash, ''::bytea)
        OR account.held <> coalesce(holds.amount, 0)
        OR account.last_posted_at IS DISTINCT FROM last.posted_at
    ORDER BY account.id LIMIT %(limit)s
"""

JOURNAL = """
    SELECT journal.reference,
        CASE WHEN coalesce(sum(per.lines), 0) < 2 THEN 'it has fewer than two lines'
             ELSE 'its debits and credits differ' END
    FROM ledger_journalentry journal
    LEFT JOIN (SELECT journal_entry_id, count(*) AS lines,
                   sum(CASE side WHEN 'debit' THEN amount ELSE -amount END) AS difference
               FROM ledger_ledgerentry GROUP BY journal_entry_id, currency) per
        ON per.journal_entry_id = journal.id
    GROUP BY journal.id, journal.reference
    HAVING coalesce(sum(per.lines), 0) < 2 OR bool_or(per.difference <> 0)
    ORDER BY journal.reference LIMIT %(limit)s
"""

DAILY_TOTALS = """
    SELECT coalesce(kept.account_id, due.account_id) || ' on ' || coalesce(kept."on", due."on"),
        'its daily total differs from its entries'
    FROM ledger_dailytotal kept
    FULL JOIN (SELECT account_id, effective_on AS "on",
                   coalesce(sum(amount) FILTER (WHERE side = 'debit'), 0) AS debit,
                   coalesce(sum(amount) FILTER (WHERE side = 'credit'), 0) AS credit
               FROM ledger_ledgerentry GROUP BY account_id, effective_on) due
        ON due.account_id = kept.account_id AND due."on" = kept."on"
    WHERE kept.debit IS DISTINCT FROM due.debit OR kept.credit IS DISTINCT FROM due.credit
    ORDER BY 1 LIMIT %(limit)s
"""

SHARE = ENTRIES.format(chosen="entry.account_id = ANY(%(accounts)s)")
# Entries of accounts that are gone: nobody's share.
THE_REST = ENTRIES.format(chosen="entry.account_id <> ALL(%(accounts)s)")
CHECKS = (
    ("key", KEY),
    ("accounts", ACCOUNTS),
    ("journal", JOURNAL),
    ("daily totals", DAILY_TOTALS),
)


def verify(seals: Sequence[str] = ()) -> Report:
    """Recompute the whole ledger from its entries and hold it against the published heads.

    Finds an edited row, a missing tail and a full rewrite. ``seals`` are those of mails that were kept: they
    must be in the anchor file, which else was rewritten too. Nothing is changed; reads one snapshot.
    """
    published = anchors.read(seals)
    count: Job = partial(_counts)
    anchored: Job = partial(_anchor_faults, published.heads)
    found = side_by_side([count, *_entry_checks(), *map(_check, CHECKS), anchored])
    entries, accounts = found[0]
    faults = _in_order([fault for faults in found[1:-1] for fault in faults])
    faults += [Fault("anchor file", *fault) for fault in published.faults]
    faults += [Fault("mailed seal", seal, "no line has it") for seal in sorted(published.missing)]
    return Report(entries, accounts, len(published.heads), [*faults, *found[-1]])


def _check(check: tuple[str, str]) -> Job:
    name, sql = check
    return partial(_faults, name, sql)


def _entry_checks() -> list[Job]:
    """The check of all entries, in shares of about the same number, so that several cores look at once."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, entry_count FROM ledger_account ORDER BY entry_count DESC, id")
        accounts = cursor.fetchall()
    shares: list[tuple[int, list[UUID]]] = [(0, []) for _ in range(READERS)]
    for account_id, entry_count in accounts:
        size, smallest = shares[0]
        heapreplace(shares, (size + entry_count, [*smallest, account_id]))
    known = [account_id for account_id, _ in accounts]
    return [
        *(partial(_faults, "entries", SHARE, accounts=some) for _, some in shares if some),
        partial(_faults, "entries", THE_REST, accounts=known),
    ]


def _in_order(faults: list[Fault]) -> list[Fault]:
    """The faults in the order of the checks, of the entries first those that come first in the books."""
    ranks = {name: rank for rank, name in enumerate(ORDER)}
    entries = sorted((one for one in faults if one.check == "entries"), key=_place_in_books)
    others = [one for one in faults if one.check != "entries"]
    return sorted([*entries[:FAULTS_SHOWN], *others], key=lambda fault: ranks[fault.check])


def _place_in_books(fault: Fault) -> tuple[str, int]:
    account, _, number = fault.place.partition(" entry ")
    return account, int(number)


def _faults(check: str, sql: str, accounts: Sequence[UUID] = ()) -> list[Fault]:
    inner, outer = padded_keys()
    given = {"inner": inner, "outer": outer, "limit": FAULTS_SHOWN, "accounts": list(accounts)}
    return [Fault(check, place, detail) for place, detail in _rows(sql, given)]


def _rows(sql: str, parameters: dict[str, object]) -> list[tuple[str, str]]:
    connection.ensure_connection()
    with (
        connection.wrap_database_errors,
        psycopg.Cursor(connection.connection) as cursor,
    ):
        used = {name: value for name, value in parameters.items() if f"%({name})s" in sql}
        return cursor.execute(sql, used).fetchall()


def _anchor_faults(heads: dict[UUID, anchors.Head]) -> list[Fault]:
    return list(_compared(heads))


def _compared(heads: dict[UUID, anchors.Head]) -> Iterator[Fault]:
    """Compare each published head with the entry of its number: gone, or sealed otherwise."""
    kept = _hashes_at(heads)
    for account_id, head in heads.items():
        found = kept.get(account_id)
        if found is None:
            message = f"entry {head.entry_count}, published {head.at}, is missing: a tail was cut"
            yield Fault("anchors", str(account_id), message)
        elif found != head.chain_head:
            message = f"entry {head.entry_count} differs from the head published {head.at}"
            yield Fault("anchors", str(account_id), f"{message}: the ledger was rewritten")


def _hashes_at(heads: dict[UUID, anchors.Head]) -> dict[UUID, str]:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT entry.account_id, encode(entry.chain_hash, 'hex')
            FROM unnest(%s::uuid[], %s::bigint[]) AS head(account_id, sequence)
            JOIN ledger_ledgerentry entry
                ON entry.account_id = head.account_id AND entry.sequence = head.sequence
            """,
            [list(heads), [head.entry_count for head in heads.values()]],
        )
        return dict(cursor.fetchall())


def _counts() -> tuple[int, int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT count(*) FROM ledger_ledgerentry), (SELECT count(*) FROM ledger_account)"
        )
        entries, accounts = cursor.fetchone()
    return entries, accounts
