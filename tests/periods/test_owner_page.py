"""The owner's page: he signs in and sees his own balance, statements and records, and nobody else's."""

from datetime import date

import pytest
from django.contrib.auth.hashers import make_password
from django.test import Client

from ledger.models import User
from periods.models import ServicePeriod
from periods.services.closing import close_period
from periods.services.instalments import plan_instalments
from periods.services.statements import send_statements
from tests.pdf import text_of
from tests.periods.estate import Estate, build_estate, login_of
from tests.scene import PASSWORD, build_scene


@pytest.fixture
def estate(db: None) -> Estate:
    return build_estate()


@pytest.fixture
def period(estate: Estate) -> ServicePeriod:
    period = estate.period()
    estate.contribution(period, "Ann", "300.00", comment="January")
    estate.charge(period, "Bob", "15.00", description="Lost key of Bob")
    close_period(actor=estate.actor("cfo"), period_id=period.pk)
    send_statements(actor=estate.actor("treasurer"), period_id=period.pk)
    return period


@pytest.fixture
def ann(estate: Estate, period: ServicePeriod) -> Client:
    return signed_in(login_of(estate, "Ann"))


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def page(client: Client) -> str:
    answer = client.get("/owner/")
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_an_owner_sees_his_balance_and_what_was_recorded_about_him(ann: Client) -> None:
    shown = page(ann)
    assert "The association owes you" in shown
    assert "KES 300.00" in shown
    assert "January" in shown
    assert "Lost key of Bob" not in shown


def test_an_owner_downloads_his_own_statement(
    ann: Client, estate: Estate, period: ServicePeriod
) -> None:
    address = f"/owner/{estate.owners['Ann'].pk}/statements/{period.pk}/"
    assert address in page(ann)
    assert "For" in text_of(ann.get(address).content)


def test_another_owners_statement_is_not_found(
    ann: Client, estate: Estate, period: ServicePeriod
) -> None:
    answer = ann.get(f"/owner/{estate.owners['Bob'].pk}/statements/{period.pk}/")
    assert answer.status_code == 404


def test_a_period_of_another_association_is_not_found(ann: Client, estate: Estate) -> None:
    other = build_estate(scene=build_scene(opening=0, code="other"))
    foreign = other.period()
    close_period(actor=other.actor("cfo"), period_id=foreign.pk)
    answer = ann.get(f"/owner/{estate.owners['Ann'].pk}/statements/{foreign.pk}/")
    assert answer.status_code == 404


def test_an_owner_sees_what_he_is_asked_to_pay(ann: Client, estate: Estate) -> None:
    second = estate.period("Second quarter", date(2026, 4, 1), date(2026, 6, 30))
    plan_instalments(
        actor=estate.actor("treasurer"),
        period_id=second.pk,
        amount="1000",
        instalments=2,
        first_due_on=date(2026, 5, 10),
        description="New roof",
    )
    shown = page(ann)
    assert "New roof" in shown
    assert "KES 225.00" in shown
    assert "not closed yet" in shown


def test_an_owner_signs_in_with_his_password(estate: Estate, period: ServicePeriod) -> None:
    user = login_of(estate, "Ann")
    User.objects.filter(pk=user.pk).update(password=make_password(PASSWORD))
    client = Client()
    assert client.get("/owner/").headers["Location"] == "/owner/sign-in/?next=/owner/"
    wrong = client.post("/owner/sign-in/", {"username": user.username, "password": "guess"})
    assert "Please enter a correct username and password" in wrong.content.decode()
    given = {"username": user.username, "password": PASSWORD}
    assert client.post("/owner/sign-in/", given).headers["Location"] == "/owner/"


def test_who_is_no_owner_is_told_so(estate: Estate) -> None:
    assert "No association knows you" in page(signed_in(estate.scene.people["auditor"]))


def test_the_page_takes_a_fixed_number_of_queries(
    ann: Client, estate: Estate, django_assert_max_num_queries: object
) -> None:
    page(ann)
    with django_assert_max_num_queries(14):  # type: ignore[operator]
        page(ann)
