"""People and their roles: given and taken by administrators alone, and all of it audited."""

import pytest
from django.test import Client
from knox.models import AuthToken

from ledger import audit
from ledger.actor import Actor
from ledger.models import AuditEvent, Branch, Company, Membership, Region, User
from ledger.refusals import InvalidInput, NotFound, RoleRequired
from ledger.roles import Role
from ledger.services.memberships import MembershipExists, grant_membership, revoke_membership
from tests.admin.office import Office, do, signed_in, text_of
from tests.treasury import factories
from tests.treasury.factories import acting

ADD = "/admin/ledger/membership/add/"


def test_giving_a_role_is_kept_in_the_person_s_history(office: Office) -> None:
    grant_membership(
        actor=acting(office.administrator),
        user_id=office.auditor.pk,
        company_id=office.company.pk,
        role=Role.CFO,
    )
    event = audit.history_of(f"ledger.user:{office.auditor.pk}").get()
    assert (event.action, event.company) == ("membership.grant", office.company)
    assert event.after == {"role": "CFO", "place": office.company.name}


def test_taking_a_role_is_kept_in_the_person_s_history(office: Office) -> None:
    membership = office.cfo.memberships.get()
    revoke_membership(
        actor=acting(office.administrator), user_id=office.cfo.pk, membership_id=membership.pk
    )
    assert not office.cfo.memberships.exists()
    event = audit.history_of(f"ledger.user:{office.cfo.pk}").get()
    assert (event.action, event.before) == (
        "membership.revoke",
        {"role": "CFO", "place": office.company.name},
    )


def test_nobody_but_an_administrator_gives_or_takes_roles(office: Office) -> None:
    actor = acting(office.cfo)
    with pytest.raises(RoleRequired):
        grant_membership(
            actor=actor, user_id=office.cfo.pk, company_id=office.company.pk, role=Role.TREASURER
        )
    membership = office.treasurer.memberships.get()
    with pytest.raises(RoleRequired):
        revoke_membership(actor=actor, user_id=office.treasurer.pk, membership_id=membership.pk)
    refused = AuditEvent.objects.filter(actor=office.cfo, outcome="refused")
    assert {event.code for event in refused} == {"role_required"}


def test_a_role_is_given_once_at_a_place(office: Office) -> None:
    with pytest.raises(MembershipExists):
        grant_membership(
            actor=Actor.system("tests"),
            user_id=office.cfo.pk,
            company_id=office.company.pk,
            role=Role.CFO,
        )


def test_a_place_lies_within_the_company(office: Office) -> None:
    elsewhere = Region.objects.create(company=factories.make_company(), name="Coast")
    region = Region.objects.create(company=office.company, name="Coast")
    branch = Branch.objects.create(region=elsewhere, name="Harbour")
    for place in (
        {"region_id": elsewhere.pk},
        {"region_id": region.pk, "branch_id": branch.pk},
        {"branch_id": branch.pk},
    ):
        with pytest.raises(InvalidInput):
            grant_membership(
                actor=Actor.system("tests"),
                user_id=office.auditor.pk,
                company_id=office.company.pk,
                role=Role.AUDITOR,
                **place,
            )


def test_an_unknown_person_gets_no_role(office: Office) -> None:
    with pytest.raises(NotFound):
        grant_membership(
            actor=Actor.system("tests"),
            user_id=office.company.pk,
            company_id=office.company.pk,
            role=Role.CFO,
        )


def test_an_administrator_gives_a_role_in_the_admin(office: Office) -> None:
    data = {
        "person": str(office.auditor.pk),
        "role": "reconciler",
        "company": str(office.company.pk),
    }
    signed_in(office.administrator).post(ADD, data)
    assert set(office.auditor.memberships.values_list("role", flat=True)) == {
        "auditor",
        "reconciler",
    }


def test_nobody_else_opens_that_page(office: Office) -> None:
    assert signed_in(office.cfo).get(ADD).status_code == 403
    assert signed_in(office.cfo).post(ADD, {}).status_code == 403


def test_an_administrator_takes_a_role_in_the_admin(office: Office) -> None:
    membership = office.cfo.memberships.get()
    answer = do(office.administrator, "revoke", membership)
    assert answer["Location"] == "/admin/ledger/membership/"
    assert not Membership.objects.filter(pk=membership.pk).exists()


def test_an_administrator_ends_a_token(office: Office) -> None:
    token = AuthToken.objects.create(user=office.treasurer)[0]
    answer = do(office.administrator, "end", token)
    assert answer.status_code == 302
    assert not AuthToken.objects.exists()


def test_a_new_person_is_in_the_audit_trail_without_his_password(office: Office) -> None:
    data = {"username": "wanjiru", "password1": "a Long-Secret 7", "password2": "a Long-Secret 7"}
    data["usable_password"] = "true"
    signed_in(office.administrator).post("/admin/ledger/user/add/", data)
    user = User.objects.get(username="wanjiru")
    event = audit.history_of(f"ledger.user:{user.pk}").get()
    assert (event.action, event.actor) == ("user.add", office.administrator)
    assert "Long-Secret" not in str(event.after)


def test_a_changed_person_is_in_the_audit_trail(office: Office) -> None:
    user = office.auditor
    client = signed_in(office.administrator)
    data = {"username": user.username, "first_name": "Wanja", "is_active": "on", "is_staff": "on"}
    data["code_channel"] = "email"
    client.post(f"/admin/ledger/user/{user.pk}/change/", data)
    event = audit.history_of(f"ledger.user:{user.pk}").filter(action="user.change").get()
    assert event.after == {"first_name": "Wanja", "email": ""}
    page = text_of(client.get(f"/admin/ledger/user/{user.pk}/history/"))
    assert "User: change" in page
    assert "<ins>Wanja</ins>" in page


def test_a_password_set_anew_is_in_the_audit_trail(office: Office) -> None:
    url = f"/admin/ledger/user/{office.auditor.pk}/password/"
    secret = {"password1": "another Long-Secret 8", "password2": "another Long-Secret 8"}
    signed_in(office.administrator).post(url, {**secret, "usable_password": "true"})
    event = audit.history_of(f"ledger.user:{office.auditor.pk}").get()
    assert event.action == "user.change"
    assert "Long-Secret" not in f"{event.before}{event.after}"


def test_staff_read_their_company_and_change_nothing_of_it(office: Office) -> None:
    client = signed_in(office.cfo)
    url = f"/admin/ledger/company/{office.company.pk}/change/"
    assert client.get(url).status_code == 200
    assert client.post(url, {"name": "Mine"}).status_code == 403
    assert Company.objects.get(pk=office.company.pk).name == office.company.name


def test_a_changed_company_is_in_the_audit_trail(office: Office) -> None:
    url = f"/admin/ledger/company/{office.company.pk}/change/"
    signed_in(office.administrator).post(url, {"name": "Amani", "separate_executor": "on"})
    event = audit.history_of(f"ledger.company:{office.company.pk}").get()
    assert (event.after, event.company) == ({"name": "Amani"}, office.company)


def test_whoever_guesses_passwords_has_to_wait(office: Office) -> None:
    office.treasurer.set_password("the right one")
    office.treasurer.save()
    client = Client(REMOTE_ADDR="192.0.2.99")
    data = {"username": office.treasurer.username, "password": "a wrong one"}
    for _ in range(10):
        assert "Please enter the correct" in text_of(client.post("/admin/login/", data))
    right = data | {"password": "the right one"}
    assert "Too many failed attempts" in text_of(client.post("/admin/login/", right))
    elsewhere = Client(REMOTE_ADDR="192.0.2.98").post("/admin/login/", right)
    assert elsewhere.status_code == 302
