"""Badges that follow their rows."""

from tests.admin.office import Office, list_url, signed_in
from tests.treasury.factories import acting, today
from treasury.models import Payment
from treasury.services.execution import execute_payment

LIVE = list_url(Payment) + "live/"


def test_the_status_is_told_and_304_until_it_changes(office: Office) -> None:
    client, payment = signed_in(office.auditor), office.pending()
    url = f"{LIVE}?id={payment.pk}"
    first = client.get(url)
    assert first.json() == {str(payment.pk): {"text": "Pending", "tone": "careful"}}
    assert client.get(url, headers={"If-None-Match": first["ETag"]}).status_code == 304
    execute_payment(actor=acting(office.treasurer), payment_id=payment.pk, today=today)
    changed = client.get(url, headers={"If-None-Match": first["ETag"]})
    assert changed.json()[str(payment.pk)]["text"] == "Success"


def test_another_company_s_payment_is_not_found(office: Office, other_office: Office) -> None:
    strange = other_office.pending()
    assert signed_in(office.auditor).get(f"{LIVE}?id={strange.pk}").status_code == 404
    assert signed_in(office.auditor).get(f"{LIVE}?id=nonsense").status_code == 404
    assert signed_in(office.auditor).post(LIVE).status_code == 405


def test_pages_and_lists_carry_what_is_watched(office: Office) -> None:
    client, payment = signed_in(office.auditor), office.pending()
    for url in (list_url(Payment), f"{list_url(Payment)}{payment.pk}/change/"):
        shown = client.get(url).content.decode()
        assert f'data-live="{payment.pk}"' in shown
        assert "bursar/live.js" in shown
