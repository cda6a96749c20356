"""Something to back up and to report on: a company that trades. Run in processes of a deployment.

manage.py shell --no-imports -c "from tests.operations.business import open_shop; open_shop()"
"""

import itertools
import sys
from decimal import Decimal
from uuid import uuid4

from django.db import transaction

from ledger.clock import today
from ledger.models import Company, Side
from ledger.services.anchoring import publish_heads
from ledger.services.posting import Line, Posting, post
from ledger.services.verification import verify
from tests.scene import build_scene
from treasury.models import TreasuryFund
from treasury.services.attachments import add_attachment

PAPER = b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"


def open_shop() -> None:
    """A company with a fund, a requisition with its evidence, and published heads."""
    scene = build_scene(opening=500_000)
    wanted = scene.requisition(1200, approved=False)
    add_attachment(
        actor=scene.actor("requester"), requisition_id=wanted.pk, name="quote.pdf", data=PAPER
    )
    publish_heads()


def trade() -> None:
    """Post, one after the other, until stopped; says how many there were after each."""
    fund = TreasuryFund.objects.select_related("company").get()
    for number in itertools.count(1):
        post_one(fund)
        if number % 20 == 0:
            publish_heads()
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()


def post_one(fund: TreasuryFund, amount: Decimal = Decimal(1)) -> None:
    company: Company = fund.company
    lines = (
        Line(fund.account_id, Side.DEBIT, amount, "KES"),
        Line(fund.funding_account_id, Side.CREDIT, amount, "KES"),
    )
    with transaction.atomic():
        post(Posting(company.pk, f"trade:{uuid4()}", "Trade", today(company), lines))


def post_and_prove() -> None:
    """Post once more and prove the books."""
    post_one(TreasuryFund.objects.select_related("company").get())
    report = verify()
    sys.stdout.write("the ledger holds" if report.holds else str(report.faults))
