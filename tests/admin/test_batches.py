"""Making a batch on a page: tried first, shown row by row, and made as it was tried."""

import re
from datetime import timedelta
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from ledger.admin.cells import add_page, page_of
from ledger.clock import today
from ledger.models import User
from tests.admin.office import Office, signed_in, text_of
from tests.treasury.factories import acting
from treasury.models import Batch, Requisition
from treasury.services.payments import create_payment

FILE = (
    "payee_name,method,destination,amount,purpose\n"
    "Amina Traders,cash,Front desk,1000.00,Paper\n"
    "Juma Stores,cash,Gate,nothing,Brooms\n"
    "Rose Supplies,cash,Gate,250.00,Brooms\n"
)


def post(by: User, office: Office, text: str = "", **more: Any) -> Any:
    data: dict[str, Any] = {"fund": str(office.fund.pk), "name": "Monday", **more}
    if text:
        data["file"] = SimpleUploadedFile("payroll.csv", text.encode())
    return signed_in(by).post(reverse("admin:treasury_batch_add"), data)


def test_a_dry_run_shows_every_row_and_makes_nothing(office: Office) -> None:
    answer = post(office.requester, office, FILE)
    shown = text_of(answer)
    assert answer.status_code == 200
    assert "nothing was made" in shown
    for words in ("Amina Traders", "Rose Supplies", "KES 1,250.00", "New payee", "Juma Stores"):
        assert words in shown, words
    assert "This was not done." not in shown
    assert Batch.objects.count() == Requisition.objects.count() == 0


def test_what_was_tried_is_made_and_another_file_is_not(office: Office) -> None:
    shown = text_of(post(office.requester, office, FILE))
    found = re.search(r'name="tried" value="([0-9a-f]{64})"', shown)
    assert found, "the page carries the hash of what was tried"
    tried = found[1]
    other = post(office.requester, office, FILE.replace("250", "9250"), make="on", tried=tried)
    assert other.status_code == 400
    assert "not the file that was tried" in text_of(other)
    assert not Batch.objects.exists()
    made = post(office.requester, office, FILE, make="on", tried=tried)
    assert made.status_code == 302
    batch = Batch.objects.get()
    assert (batch.name, batch.count, batch.total) == ("Monday", 2, 1250)


def test_a_refused_row_says_whose_it_is_and_how_much(office: Office) -> None:
    header = FILE.partition("\n")[0]
    rows = (
        *("Amina Traders,cash,Front desk,1000.00,Paper,KES", "Halima Said,mpesa,12,640,Fare,KES"),
        *("Juma Stores,cash,,77.70,Brooms,", "Rose Supplies,cash,Gate,55.50,Brooms,USD"),
    )
    text = "\n".join([f"{header},currency", *rows, ""])
    assert post(office.requester, office, text, make="on").status_code == 302
    page = text_of(signed_in(office.auditor).get(page_of(Batch.objects.get())))
    for words in ("Halima Said", "KES 640.00", "Juma Stores", "KES 77.70", "Rose Supplies"):
        assert words in page, words
    assert "55.50" not in page, "an amount in another currency is none in the fund's"


def test_everything_due_by_a_day_is_a_batch_without_a_file(office: Office) -> None:
    day = today(office.company) + timedelta(days=3)
    create_payment(
        actor=acting(office.treasurer), requisition_id=office.approved().pk, scheduled_for=day
    )
    until = (day + timedelta(days=4)).isoformat()
    asked = text_of(signed_in(office.treasurer).get(add_page(Batch)))
    assert '<input type="date" name="due_by"' in asked, "the browser has a calendar for it"
    tried = post(office.treasurer, office, due_by=until)
    assert "Amina Traders" in text_of(tried)
    assert not Batch.objects.exists()
    assert post(office.treasurer, office, due_by=until, make="on").status_code == 302
    assert Batch.objects.get().source == "due"


def test_a_file_or_a_day_is_asked_for_and_not_both(office: Office) -> None:
    for text, more in (("", {}), (FILE, {"due_by": "2030-01-01"})):
        answer = post(office.requester, office, text, **more)
        assert answer.status_code == 400
        assert "Choose a file, or a day" in text_of(answer)
