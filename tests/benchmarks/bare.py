"""What a two-line posting costs when nothing is done but to write it: a function by hand that makes the same
inserts into the same tables, under the same constraints, indexes and triggers.

It takes no JSON, knows no reference from before, hashes and seals nothing and posts two lines only.
"""

import uuid

import psycopg
from django.db import connection

from config.embedded import postgres
from ledger.services.posting import Posting
from tests import database

FUNCTION = """
CREATE FUNCTION benchmark_bare(p_id uuid, p_company uuid, p_reference text, p_on date, p_debit uuid,
                               p_credit uuid, p_amount numeric, p_currency text) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    debited ledger_account%ROWTYPE;
    credited ledger_account%ROWTYPE;
    at timestamptz := ledger_clock();
BEGIN
    PERFORM FROM ledger_account WHERE id IN (p_debit, p_credit) ORDER BY id FOR NO KEY UPDATE;
    SELECT * INTO debited FROM ledger_account WHERE id = p_debit;
    SELECT * INTO credited FROM ledger_account WHERE id = p_credit;
    INSERT INTO ledger_journalentry (id, company_id, reference, description, effective_on, posted_at,
                                     content_hash)
        VALUES (p_id, p_company, p_reference, 'bare', p_on, at, '');
    INSERT INTO ledger_ledgerentry (id, journal_entry_id, account_id, company_id, sequence, side, amount,
                                    currency, balance_after, effective_on, posted_at, chain_hash)
        VALUES (gen_random_uuid(), p_id, p_debit, p_company, debited.entry_count + 1, 'debit', p_amount,
                p_currency, debited.balance + p_amount, p_on, at, ''),
               (gen_random_uuid(), p_id, p_credit, p_company, credited.entry_count + 1, 'credit',
                p_amount, p_currency, credited.balance - p_amount, p_on, at, '');
    RETURN p_id;
END $$
"""


def install(name: str) -> None:
    with psycopg.connect(database.CLUSTER.url(role=postgres.OWNER, database=name)) as owner:
        owner.execute(FUNCTION)
        owner.execute(f"GRANT EXECUTE ON FUNCTION benchmark_bare TO {postgres.RUNTIME}")


def post(posting: Posting) -> None:
    """Post through the bare function, by the fastest cursor there is."""
    debit, credit = posting.lines
    facts = (uuid.uuid4(), posting.company_id, posting.reference, posting.effective_on)
    facts += (debit.account_id, credit.account_id, debit.amount, debit.currency)  # type: ignore[assignment]
    with psycopg.Cursor(connection.connection) as cursor:
        cursor.execute("SELECT benchmark_bare(%s, %s, %s, %s, %s, %s, %s, %s)", facts)
