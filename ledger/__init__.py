"""The books: one double-entry ledger under everything else.

An *account* belongs to a company, has one currency and a normal side, and keeps its *balance* and
what is *held*; *available* is the difference. A *journal entry* is an immutable, balanced set of two
or more *ledger entries*, each a debit or a credit of a positive amount. Nothing is ever edited: a
mistake is corrected by a *reversal*, a journal entry that mirrors the first.

Money only moves through ``services.posting``, which calls one SQL function; PostgreSQL refuses every
other way. The floor also holds what all floors share: the organisation (company, region, branch),
membership and access, audit events, idempotency keys, money and encrypted fields.
"""
