"""A company with many funds, and payments by the thousand: real ones to begin with, then copies of these."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from uuid import UUID, uuid5

import psycopg
from django.conf import settings
from django.db import transaction
from django.db.models import Model

from config.embedded import postgres
from ledger.actor import Actor
from ledger.clock import today
from ledger.services.posting import Line, Posting, post_many
from tests import database
from tests.scene import Scene, build_scene
from treasury import otp
from treasury.models import Payment, TreasuryFund
from treasury.services.funds import open_fund

FUNDS = 100
FILLED_WITH = Decimal(10_000_000)
AMOUNT = Decimal("125.50")
# A row like the template but for what is named, once for each number of a set.
COPY = """
    INSERT INTO {table} ({columns}) SELECT {copied} FROM {table} template,
        unnest(%(numbers)s::bigint[]) AS n,
        LATERAL jsonb_populate_record(template, jsonb_build_object({changes})) new
    WHERE template.{key} = %(template)s
"""
CODES = """
    INSERT INTO treasury_onetimecode (code_id, payment_id, payment_version, executor_id, digest,
                                      bound_digest, sent_at, expires_at, tries, verified_at)
    SELECT gen_random_uuid(), payment, 1, %(executor)s, bound, bound, now(), now() + interval '1 day', 1, now()
    FROM unnest(%(payments)s::uuid[], %(digests)s::text[]) AS coded(payment, bound)
"""


@dataclass
class Office:
    """One company, its funds (the scene's own is the first) and ``template``, a pending payment in cash."""

    name: str
    scene: Scene
    funds: list[TreasuryFund]
    template: Payment
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def treasurer(self) -> Actor:
        return self.scene.actor("treasurer")

    def pending(self, number: int, *, funds: int, coded: bool = True) -> list[UUID]:
        """That many approved payments, over that many funds in turn; their codes are sent and verified."""
        numbers = list(itertools.islice(self.numbers, number))
        ids = {n: uuid5(self.template.pk, f"payment {n}") for n in numbers}
        with self.owner() as owner:
            self._copy(owner, ids, [fund.pk for fund in self.funds[:funds]], coded=coded)
            if coded:
                self._send_codes(owner, list(ids.values()))
        return list(ids.values())

    def owner(self) -> psycopg.Connection:
        """A connection that writes without triggers and foreign keys, for copies of what they let through."""
        url = database.CLUSTER.url(role=postgres.SUPERUSER, database=self.name)
        owner = psycopg.connect(url, autocommit=True)
        owner.execute("SET session_replication_role = replica")
        return owner

    def _copy(
        self,
        owner: psycopg.Connection,
        ids: dict[int, UUID],
        funds: Sequence[UUID],
        *,
        coded: bool,
    ) -> None:
        known: dict[str, object] = {
            "numbers": list(ids),
            "funds": funds,
            "first": next(iter(ids)),
            "payments": list(ids.values()),
            "requisitions": [requisition_of(pk) for pk in ids.values()],
            "treasurer": self.treasurer.user_id,
            "coded": coded,
        }
        place = "n - %(first)s + 1"
        requisition = f"'requisition_id', (%(requisitions)s::uuid[])[{place}]"
        fund = "'fund_id', (%(funds)s::uuid[])[1 + n %% cardinality(%(funds)s::uuid[])]"
        payment = f"'payment_id', (%(payments)s::uuid[])[{place}]"
        coded_by = (
            ", 'otp_required', %(coded)s::boolean, 'otp_verified', %(coded)s::boolean,"
            " 'otp_verified_timestamp', now(), 'executor_id', %(treasurer)s::uuid"
        )
        approval = self.template.requisition.all_approvals.get()
        for template, changes in (
            (self.template.requisition, f"{requisition}, {fund}"),
            (approval, f"'id', gen_random_uuid(), {requisition}"),
            (
                self.template,
                f"{payment}, {requisition}, {fund}, 'created_at', now() {coded_by}",
            ),
        ):
            owner.execute(_copying(template, changes), known | {"template": template.pk})

    def _send_codes(self, owner: psycopg.Connection, ids: list[UUID]) -> None:
        user_id = self.treasurer.user_id
        assert user_id
        digests = [
            otp.bound_digest(
                key=settings.BURSAR_OTP_KEY,
                bound=otp.Bound(
                    payment_id=pk,
                    version=self.template.version,
                    amount=self.template.amount,
                    currency=self.template.currency,
                    destination=self.template.destination,
                    method=self.template.method,
                    executor_id=user_id,
                ),
            )
            for pk in ids
        ]
        owner.execute(CODES, {"payments": ids, "digests": digests, "executor": user_id})

    def analyse(self) -> None:
        """Let PostgreSQL look at what was written, as its own collector would in time."""
        with self.owner() as owner:
            owner.execute("VACUUM ANALYZE")


def _copying(template: Model, changes: str) -> str:
    """The statement that copies a row; what the database makes of the rest it makes of each copy."""
    meta = template._meta
    columns = [f'"{field.column}"' for field in meta.concrete_fields if not field.generated]
    return COPY.format(
        table=meta.db_table,
        key=meta.pk.column,
        columns=", ".join(columns),
        copied=", ".join(f"new.{column}" for column in columns),
        changes=changes,
    )


def requisition_of(payment_id: UUID) -> UUID:
    """The id of the requisition of a copied payment."""
    return uuid5(payment_id, "requisition")


def open_office(name: str) -> Office:
    """Open a company with a hundred filled funds."""
    scene = build_scene(opening=int(FILLED_WITH), code="benchmark")
    cfo = Actor.of(scene.people["cfo"])
    funds = [scene.fund] + [
        open_fund(actor=cfo, company_id=scene.company.pk, name=f"Fund {number}", currency="KES")
        for number in range(1, FUNDS)
    ]
    with transaction.atomic():
        post_many([_filling(scene, fund) for fund in funds[1:]])
    template = Payment.objects.select_related("requisition").get(pk=scene.payment(str(AMOUNT)).pk)
    return Office(name, scene, funds, template)


def _filling(scene: Scene, fund: TreasuryFund) -> Posting:
    lines = (
        Line(fund.account_id, "debit", FILLED_WITH, "KES"),
        Line(fund.funding_account_id, "credit", FILLED_WITH, "KES"),
    )
    reference = f"opening:{fund.pk}"

    return Posting(scene.company.pk, reference, "Opening balance", today(scene.company), lines)
