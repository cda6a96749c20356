"""Who may do what where, and who sees what."""

from dataclasses import dataclass
from uuid import UUID

import pytest
from django.db import IntegrityError, transaction

from ledger import audit
from ledger.access import companies_of, require_role, roles_of, visible
from ledger.actor import Actor
from ledger.models import Account, Branch, Company, Membership, Region, User
from ledger.refusals import RoleRequired
from ledger.roles import READING_ROLES, Role
from ledger.selectors import (
    accounts_seen_by,
    audit_events_seen_by,
    companies_whose_books_are_seen_by,
    journal_entries_seen_by,
    regions_seen_by,
)
from tests.ledger.factories import (
    BranchFactory,
    CompanyFactory,
    MembershipFactory,
    RegionFactory,
    UserFactory,
    open_account,
)

pytestmark = pytest.mark.django_db


@dataclass(frozen=True)
class Place:
    company_id: UUID
    region_id: UUID | None = None
    branch_id: UUID | None = None


@dataclass(frozen=True)
class World:
    """Two companies; the first has two regions, and the first region two branches."""

    ours: Company
    theirs: Company
    coast: Region
    hills: Region
    port: Branch
    beach: Branch
    farm: Branch

    def place(self, name: str) -> Place:
        ours, coast, hills = self.ours.pk, self.coast.pk, self.hills.pk
        return {
            "company": Place(ours),
            "coast": Place(ours, coast),
            "port": Place(ours, coast, self.port.pk),
            "beach": Place(ours, coast, self.beach.pk),
            "hills": Place(ours, hills),
            "farm": Place(ours, hills, self.farm.pk),
            "elsewhere": Place(self.theirs.pk),
        }[name]

    def member(self, at: str, role: Role = Role.APPROVER) -> User:
        place = self.place(at)
        membership = MembershipFactory.create(
            company_id=place.company_id,
            company=None,
            region_id=place.region_id,
            branch_id=place.branch_id,
            role=role,
        )
        return membership.user


@pytest.fixture
def world() -> World:
    ours, theirs = CompanyFactory.create(), CompanyFactory.create()
    coast, hills = RegionFactory.create(company=ours), RegionFactory.create(company=ours)
    port, beach = BranchFactory.create(region=coast), BranchFactory.create(region=coast)
    return World(ours, theirs, coast, hills, port, beach, BranchFactory.create(region=hills))


# Where somebody is a member, and where that reaches.
REACH = {
    "company": {"company", "coast", "port", "beach", "hills", "farm"},
    "coast": {"coast", "port", "beach"},
    "port": {"port"},
    "elsewhere": {"elsewhere"},
}
PLACES = ["company", "coast", "port", "beach", "hills", "farm", "elsewhere"]


@pytest.mark.parametrize("at", REACH)
@pytest.mark.parametrize("place", PLACES)
def test_a_membership_reaches_what_lies_within(world: World, at: str, place: str) -> None:
    actor = Actor.of(world.member(at))
    if place in REACH[at]:
        require_role(actor, Role.APPROVER, place=world.place(place))
    else:
        with pytest.raises(RoleRequired):
            require_role(actor, Role.APPROVER, place=world.place(place))


@pytest.mark.parametrize("role", Role)
def test_a_role_is_no_other_role(world: World, role: Role) -> None:
    person = world.member("company", role)
    assert roles_of(person, company_id=world.ours.pk) == {role}
    with pytest.raises(RoleRequired):
        require_role(Actor.of(person), *set(Role) - {role}, place=world.place("company"))


def test_roles_from_several_memberships_add_up(world: World) -> None:
    person = world.member("company", Role.AUDITOR)
    MembershipFactory.create(
        user=person, company=world.ours, region=world.coast, branch=world.port, role=Role.CFO
    )
    port, beach = world.place("port"), world.place("beach")
    at_port = roles_of(
        person, company_id=port.company_id, region_id=port.region_id, branch_id=port.branch_id
    )
    at_beach = roles_of(
        person, company_id=beach.company_id, region_id=beach.region_id, branch_id=beach.branch_id
    )
    assert (at_port, at_beach) == (frozenset({Role.AUDITOR, Role.CFO}), frozenset({Role.AUDITOR}))


def test_one_of_several_roles_will_do(world: World) -> None:
    actor = Actor.of(world.member("company", Role.CFO))
    require_role(actor, Role.APPROVER, Role.CFO, place=world.place("port"))


def test_the_refusal_names_the_roles(world: World) -> None:
    with pytest.raises(RoleRequired, match="Approver or CFO") as caught:
        require_role(
            Actor.of(UserFactory.create()), Role.APPROVER, Role.CFO, place=world.place("company")
        )
    assert (caught.value.status, caught.value.code) == (403, "role_required")


def test_a_superuser_has_every_role_everywhere(world: World) -> None:
    person = UserFactory.create(is_superuser=True)
    assert roles_of(person, company_id=world.theirs.pk) == set(Role)


def test_somebody_on_the_staff_has_no_role_by_that(world: World) -> None:
    person = UserFactory.create(is_staff=True)
    assert roles_of(person, company_id=world.ours.pk) == frozenset()


@pytest.mark.parametrize("superuser", [True, False])
def test_somebody_who_has_left_has_no_role(world: World, superuser: bool) -> None:
    person = world.member("company")
    person.is_active, person.is_superuser = False, superuser
    person.save()
    assert roles_of(person, company_id=world.ours.pk) == frozenset()
    assert not accounts_seen_by(person).exists()
    assert not companies_of(person).exists()


def test_a_job_may_do_everything(world: World) -> None:
    require_role(Actor.system("janitor"), Role.CFO, place=world.place("company"))


# --- What is seen -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("at", REACH)
def test_rows_of_a_place_are_seen_from_where_the_membership_reaches(world: World, at: str) -> None:
    person = world.member(at, Role.AUDITOR)
    for name in PLACES:  # memberships themselves are rows with company, region and branch
        place = world.place(name)
        MembershipFactory.create(
            company_id=place.company_id,
            company=None,
            region_id=place.region_id,
            branch_id=place.branch_id,
            user=UserFactory.create(username=f"at {name}"),
        )
    rows = visible(Membership.objects.filter(user__username__startswith="at "), person)
    assert {row.user.username.removeprefix("at ") for row in rows} == REACH[at]


@pytest.mark.parametrize("at", REACH)
def test_what_is_the_companys_own_is_seen_by_its_members_everywhere(world: World, at: str) -> None:
    seen = set(regions_seen_by(world.member(at, Role.AUDITOR)).values_list("company", flat=True))
    assert (world.ours.pk in seen) is (at != "elsewhere")


@pytest.mark.parametrize("at", REACH)
def test_the_books_of_a_company_are_seen_by_who_reaches_all_of_it(world: World, at: str) -> None:
    ours, theirs = open_account(world.ours), open_account(world.theirs)
    for account in (ours, theirs):
        MembershipFactory.create(company=account.company, role=Role.AUDITOR)  # somebody else
        audit.record(
            actor=Actor.system("tests"), action="x", subject="x", company_id=account.company_id
        )
    person = world.member(at, Role.AUDITOR)
    reached = {"company": ours, "elsewhere": theirs}
    due = {reached[at]} if at in reached else set()
    companies = {account.company for account in due}
    assert set(accounts_seen_by(person)) == due
    assert set(companies_whose_books_are_seen_by(person)) == companies
    assert {event.company for event in audit_events_seen_by(person).filter(action="x")} == companies


@pytest.mark.parametrize("at", ["coast", "port"])
def test_another_membership_for_all_of_the_company_opens_the_books(world: World, at: str) -> None:
    account, person = open_account(world.ours), world.member(at, Role.TREASURER)
    MembershipFactory.create(user=person, company=world.ours, role=Role.AUDITOR)
    assert list(accounts_seen_by(person)) == [account]
    assert list(companies_whose_books_are_seen_by(person)) == [world.ours]


@pytest.mark.parametrize("role", Role)
def test_everybody_but_an_owner_reads_the_books(world: World, role: Role) -> None:
    open_account(world.ours)
    seen = accounts_seen_by(world.member("company", role)).exists()
    assert seen is (role in READING_ROLES) is (role != Role.OWNER)


def test_nobody_sees_anything_without_a_membership(world: World) -> None:
    open_account(world.ours, balance="1.00")
    stranger = UserFactory.create(is_staff=True)
    for rows in (accounts_seen_by, journal_entries_seen_by, audit_events_seen_by):
        assert not rows(stranger).exists()


def test_a_superuser_sees_every_company(world: World) -> None:
    open_account(world.ours)
    open_account(world.theirs)
    assert (
        accounts_seen_by(UserFactory.create(is_superuser=True)).count() == Account.objects.count()
    )


def test_two_memberships_show_a_row_once(world: World) -> None:
    account = open_account(world.ours)
    person = world.member("company")
    MembershipFactory.create(user=person, company=world.ours, role=Role.CFO)
    assert list(accounts_seen_by(person)) == [account]


def test_companies_are_those_of_the_asked_role(world: World) -> None:
    person = world.member("port", Role.REQUESTER)
    MembershipFactory.create(user=person, company=world.theirs, role=Role.OWNER)
    assert list(companies_of(person)) == [world.ours]
    assert list(companies_of(person, Role.OWNER)) == [world.theirs]
    assert not companies_of(person, Role.CFO).exists()


# --- Memberships --------------------------------------------------------------------------------------------


def test_a_membership_is_given_once(world: World) -> None:
    person = world.member("company")
    with pytest.raises(IntegrityError), transaction.atomic():
        MembershipFactory.create(user=person, company=world.ours, role=Role.APPROVER)


def test_a_branch_comes_with_its_region(world: World) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        MembershipFactory.create(company=world.ours, branch=world.port)


def test_a_role_that_does_not_exist_is_refused(world: World) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        MembershipFactory.create(company=world.ours, role="emperor")
