"""Who sees what: the matrix of every admin, every role and both companies."""

import pytest
from django.contrib import admin
from django.db.models import Model
from django.test import Client

from ledger.admin.cells import page_of
from ledger.admin.people import OnlySuperusers, UserAdmin
from ledger.models import Branch, Membership, OutboxEvent, Region, User, WebhookDelivery
from ledger.roles import Role
from payments.models import GatewayRequest, GatewayResponse
from tests.admin.office import (
    STAFF_ROLES,
    Office,
    list_url,
    seen_admins,
    signed_in,
    step_url,
)
from tests.treasury import factories
from tests.treasury.desk import SYSTEM
from treasury.services.funds import open_fund

FOR_ADMINISTRATORS = (OnlySuperusers, UserAdmin)


def for_administrators(model: type[Model]) -> bool:
    return isinstance(admin.site._registry[model], FOR_ADMINISTRATORS)


@pytest.mark.parametrize("name", [*STAFF_ROLES, "administrator", "owner"])
def test_lists_open_for_whoever_works_here_and_for_nobody_else(office: Office, name: str) -> None:
    client = signed_in(office.person(name))
    for model in admin.site._registry:
        allowed = name == "administrator" or (name != "owner" and not for_administrators(model))
        answer = client.get(list_url(model))
        assert answer.status_code == (200 if allowed else 403), model._meta.label


@pytest.mark.parametrize("name", [*STAFF_ROLES, "administrator", "owner"])
def test_rows_open_for_whoever_works_here_and_for_nobody_else(
    office: Office, everything: dict[type[Model], Model], name: str
) -> None:
    client = signed_in(office.person(name))
    assert set(everything) == set(admin.site._registry)
    for model, row in everything.items():
        allowed = name == "administrator" or (name != "owner" and not for_administrators(model))
        answer = client.get(page_of(row))
        assert answer.status_code == (200 if allowed else 403), model._meta.label


def test_nobody_gets_in_without_signing_in(everything: dict[type[Model], Model]) -> None:
    for model, row in everything.items():
        for url in (list_url(model), page_of(row)):
            answer = Client().get(url)
            assert answer.status_code == 302
            assert answer["Location"].startswith("/admin/login/")


def test_whoever_is_no_staff_does_not_get_in(office: Office) -> None:
    office.treasurer.is_staff = False
    office.treasurer.save()
    answer = signed_in(office.treasurer).get("/admin/")
    assert answer.status_code == 302


def test_rows_of_another_company_are_not_found(
    office: Office, everything: dict[type[Model], Model], other_office: Office
) -> None:
    client = signed_in(other_office.cfo)
    for model, row in everything.items():
        if for_administrators(model):
            continue
        label = model._meta.label
        assert client.get(page_of(row)).status_code == 404, label
        assert str(row.pk) not in client.get(list_url(model)).content.decode(), label


def test_another_company_s_rows_are_in_no_search_and_no_filter(
    office: Office, other_office: Office
) -> None:
    office.request(payee_name="Baraka Hardware")
    factories.make_fund(other_office.company)  # one alone would not be worth a filter
    client = signed_in(other_office.cfo)
    for query in ("?q=Baraka", "?q=1000.00", "?fund__fund_id__exact=" + str(office.fund.pk)):
        page = client.get("/admin/treasury/requisition/" + query, follow=True)
        assert "Baraka Hardware" not in page.content.decode()
    page = client.get("/admin/treasury/requisition/")
    assert str(office.fund.pk) not in page.content.decode()
    assert str(other_office.fund.pk) in page.content.decode()


def test_a_step_on_another_company_s_row_is_not_found(
    office: Office, everything: dict[type[Model], Model]
) -> None:
    stranger = make_stranger()
    for model, held in seen_admins().items():
        row = everything[model]
        for step in held.steps:
            url = step_url(row, step.name)
            answers = (
                stranger.get(url, {"id": str(row.pk)}),
                stranger.post(url, {"id": str(row.pk)}),
            )
            assert [answer.status_code for answer in answers] == [404, 404], (model, step.name)


def make_stranger() -> Client:
    """Somebody with every role, elsewhere."""
    company = factories.make_company()
    return signed_in(factories.person(company, *Role, is_staff=True))


def branch_clerk(office: Office) -> User:
    """A treasurer of one branch with a fund of its own."""
    region = Region.objects.create(company=office.company, name="Islands")
    branch = Branch.objects.create(region=region, name="Harbour")
    open_fund(
        actor=SYSTEM,
        company_id=office.company.pk,
        region_id=region.pk,
        branch_id=branch.pk,
        name="Harbour cash",
        currency="KES",
    )
    clerk = factories.person(office.company, is_staff=True)
    Membership.objects.create(
        user=clerk, company=office.company, region=region, branch=branch, role="treasurer"
    )
    return clerk


def test_a_branch_s_people_see_their_branch_only(office: Office) -> None:
    clerk = branch_clerk(office)
    page = signed_in(clerk).get("/admin/treasury/treasuryfund/").content.decode()
    assert "Harbour cash" in page
    assert "Petty cash" not in page
    assert signed_in(clerk).get(page_of(office.fund)).status_code == 404


def test_what_tells_about_the_whole_company_is_not_for_a_branch_s_people(
    office: Office, everything: dict[type[Model], Model]
) -> None:
    clerk = signed_in(branch_clerk(office))
    for model in (WebhookDelivery, OutboxEvent, GatewayRequest, GatewayResponse):
        row = everything[model]
        assert clerk.get(page_of(row)).status_code == 404
        assert str(row.pk) not in clerk.get(list_url(model)).content.decode()
