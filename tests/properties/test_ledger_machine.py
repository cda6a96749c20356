"""PostgreSQL's ledger and the one in plain Python, driven by the same random hands, agree on every number
and every seal."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.conf import settings
from django.db import connection, transaction
from hypothesis import HealthCheck, Phase
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from ledger.models import Account, AccountType, DailyTotal, JournalEntry, LedgerEntry
from ledger.refusals import Refusal
from ledger.selectors import balance_on
from ledger.services import posting as services
from ledger.services.verification import verify
from tests.conftest import FULL
from tests.ledger.factories import CompanyFactory, open_account
from tests.properties import reference_ledger as reference

FIRST = date(2026, 3, 1)
ACCOUNTS: dict[str, dict[str, Any]] = {
    "cash": {"minimum": "0"},
    "bank": {},
    "overdraft": {"minimum": "-50"},
    "sales": {"type": AccountType.INCOME},
    "owed": {"type": AccountType.LIABILITY, "minimum": "0"},
    "dollars": {"currency": "USD"},
    "exchange": {"currency": "USD", "minimum": "-100"},
}

names = st.sampled_from([*ACCOUNTS, "theirs", "unknown"])
ours = st.sampled_from(["cash", "bank", "overdraft", "sales", "owed"])
sides = st.sampled_from(["debit", "credit"])
currencies = st.sampled_from(["KES", "KES", "KES", "USD"])
references = st.integers(0, 40).map("r{}".format)
hold_references = st.integers(0, 8).map("h{}".format)
days = st.integers(0, 20).map(lambda offset: FIRST + timedelta(days=offset))
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
good_amounts = st.integers(1, 20_000).map(lambda cents: Decimal(cents).scaleb(-2))
bad_amounts = st.sampled_from(["0", "-1", "1.005", "NaN", "Infinity", "1e20", "0.00001"]).map(
    Decimal
)
huge_amounts = st.just(Decimal("99999999999999999999.99"))
amounts = st.one_of(*[good_amounts] * 12, bad_amounts, huge_amounts)
lines = st.builds(reference.Line, names, sides, amounts, currencies)


@st.composite
def transfers(draw: st.DrawFn) -> tuple[reference.Line, ...]:
    """Balanced lines: two, or three where one side is split."""
    source, target, amount = draw(ours), draw(ours), draw(good_amounts)
    first, second = draw(st.permutations(["debit", "credit"]))
    found = [
        reference.Line(target, first, amount, "KES"),
        reference.Line(source, second, amount, "KES"),
    ]
    if amount > 1 and draw(st.booleans()):
        part = draw(
            st.integers(1, int(amount * 100) - 1).map(lambda cents: Decimal(cents).scaleb(-2))
        )
        found[:1] = [
            reference.Line(target, first, part, "KES"),
            reference.Line(draw(ours), first, amount - part, "KES"),
        ]
    return tuple(found)


postings = st.builds(
    reference.Posting,
    company=st.just("ours"),
    reference=references,
    on=days,
    lines=st.one_of(*[transfers()] * 6, st.lists(lines, max_size=4).map(tuple)),
    releases=st.one_of(st.none(), st.none(), st.none(), hold_references),
)


class LedgerMachine(RuleBasedStateMachine):
    """Each run is one transaction that is rolled back; each step a savepoint, as a refusal ends it."""

    @initialize()
    def open(self) -> None:
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        company, other = CompanyFactory.create(), CompanyFactory.create()
        self.companies = {"ours": company.pk, "theirs": other.pk}
        self.rows = {name: open_account(company, **facts) for name, facts in ACCOUNTS.items()}
        self.rows["theirs"] = open_account(other)
        self.ids = {name: account.pk for name, account in self.rows.items()} | {"unknown": uuid4()}
        self.entries: dict[str, UUID] = {}
        self.books = reference.Books(
            {name: self.mirrored(name, account) for name, account in self.rows.items()}
        )

    def mirrored(self, name: str, account: Account) -> reference.Account:
        company = "theirs" if name == "theirs" else "ours"
        return reference.Account(company, account.currency, account.normal_side, account.minimum)

    def teardown(self) -> None:
        if not hasattr(self, "atomic"):
            return
        try:
            connection.check_constraints()
            self.compare_everything()
        finally:
            transaction.set_rollback(True)
            self.atomic.__exit__(None, None, None)

    # --- What is done to both -----------------------------------------------------------------------------

    @rule(posting=postings, description=texts)
    def post(self, posting: reference.Posting, description: str) -> None:
        self.agree(
            lambda: self.books.post_many([posting]),
            lambda: self.noted([posting], [services.post(self.real(posting, description))]),
        )

    @rule(batch=st.lists(postings, min_size=2, max_size=6))
    def post_many(self, batch: list[reference.Posting]) -> None:
        self.agree(
            lambda: self.books.post_many(batch),
            lambda: self.noted(
                batch, services.post_many([self.real(one, "batch") for one in batch])
            ),
        )

    @rule(original=references, name=references, on=days)
    def reverse(self, original: str, name: str, on: date) -> None:
        self.agree(
            lambda: self.books.reverse(original, name, on),
            lambda: self.entries.setdefault(
                name,
                services.reverse(
                    journal_entry_id=self.entries.get(original, uuid4()),
                    reference=self.named(name),
                    description="reversed",
                    effective_on=on,
                ),
            ),
        )

    @rule(account=ours, amount=amounts, name=hold_references)
    def hold(self, account: str, amount: Decimal, name: str) -> None:
        self.agree(
            lambda: self.books.hold(account, amount, name),
            lambda: services.hold(
                account_id=self.ids[account], amount=amount, reference=self.named(name)
            ),
        )

    @rule(name=hold_references)
    def release(self, name: str) -> None:
        self.agree(
            lambda: self.books.release(name), lambda: services.release(reference=self.named(name))
        )

    # --- How they are compared ------------------------------------------------------------------------------

    def agree(self, model: Callable[[], object], ledger: Callable[[], object]) -> None:
        expected: set[str] = set()
        given: set[str] = set()
        try:
            model()
        except reference.Refused as refused:
            expected = refused.codes
        try:
            with transaction.atomic():
                ledger()
        except Refusal as refusal:
            given = {refusal.code}
        assert given <= expected
        assert bool(given) is bool(expected)
        self.compare_accounts()

    def compare_accounts(self) -> None:
        fields = ("id", "balance", "held", "entry_count")
        found = {row[0]: row[1:] for row in Account.objects.values_list(*fields)}
        for name, account in self.books.accounts.items():
            assert found[self.ids[name]] == (account.balance, account.held, len(account.entries)), (
                name
            )

    def compare_everything(self) -> None:
        for name, account in self.books.accounts.items():
            self.compare_entries(name, account)
            self.compare_totals(name, account)
        self.compare_contents()
        report = verify()
        assert not [fault for fault in report.faults if fault.check != "anchors"]

    def compare_entries(self, name: str, account: reference.Account) -> None:
        """Number, side, amount, balance and date of every entry; and the seal that follows from them."""
        found = LedgerEntry.objects.filter(account=self.ids[name]).order_by("sequence")
        seal = b""
        written = list(found.select_related("journal_entry"))
        for entry, line in zip(account.entries, written, strict=True):
            assert self.named(entry.reference) == line.journal_entry.reference
            assert (entry.sequence, entry.side, entry.on) == (
                line.sequence,
                line.side,
                line.effective_on,
            )
            assert (entry.amount, entry.balance_after) == (line.amount, line.balance_after)
            seal = reference.seal_entry(settings.BURSAR_CHAIN_KEY, seal, line)
            assert bytes(line.chain_hash) == seal
        assert bytes(Account.objects.get(pk=self.ids[name]).chain_head) == seal

    def compare_totals(self, name: str, account: reference.Account) -> None:
        kept = DailyTotal.objects.filter(account=self.ids[name]).values_list(
            "on", "debit", "credit"
        )
        totals = account.totals()
        assert {on: (debit, credit) for on, debit, credit in kept} == totals
        sign = 1 if account.normal_side == "debit" else -1
        for on in totals:
            net = sum(debit - credit for day, (debit, credit) in totals.items() if day <= on)
            assert balance_on(self.rows[name], on) == sign * net

    def compare_contents(self) -> None:
        entries = JournalEntry.objects.filter(company__in=self.companies.values())
        kept = {entry.reference: bytes(entry.content_hash) for entry in entries}
        assert kept == {
            self.named(name): self.content_hash(posting)
            for name, posting in self.books.postings.items()
        }

    def content_hash(self, posting: reference.Posting) -> bytes:
        named = [
            reference.Line(str(self.ids[line.account]), line.side, line.amount, line.currency)
            for line in posting.lines
        ]
        reversed_entry = self.entries[posting.reversal_of] if posting.reversal_of else None
        company = str(self.companies[posting.company])
        return reference.content_hash(
            company, str(reversed_entry) if reversed_entry else None, named
        )

    # --- From names to what the services take ---------------------------------------------------------------

    def named(self, name: str) -> str:
        return f"{self.companies['ours']}:{name}"

    def noted(self, batch: list[reference.Posting], ids: list[UUID]) -> None:
        """A known reference must bring back its first id."""
        for posting, entry in zip(batch, ids, strict=True):
            assert self.entries.setdefault(posting.reference, entry) == entry

    def real(self, posting: reference.Posting, description: str) -> services.Posting:
        return services.Posting(
            company_id=self.companies[posting.company],
            reference=self.named(posting.reference),
            description=description,
            effective_on=posting.on,
            lines=tuple(
                services.Line(self.ids[line.account], line.side, line.amount, line.currency)
                for line in posting.lines
            ),
            releases=self.named(posting.releases) if posting.releases else None,
        )


@pytest.mark.django_db(transaction=True)
def test_both_ledgers_agree_on_every_number_and_every_seal() -> None:
    run_state_machine_as_test(
        LedgerMachine,
        settings=hypothesis_settings(
            max_examples=400 if FULL else 35,
            stateful_step_count=100 if FULL else 25,
            suppress_health_check=list(HealthCheck),
            phases=[p for p in Phase if p is not Phase.shrink],
        ),
    )
