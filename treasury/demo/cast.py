"""Who and what there is in the demo: two companies, their places, people, funds and rules."""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from uuid import UUID

from django.contrib.auth.hashers import make_password
from django.db import transaction

from ledger import audit
from ledger.actor import Actor
from ledger.clock import today
from ledger.models import Branch, Company, Membership, Region, User
from ledger.roles import Role
from ledger.services.memberships import grant_membership
from ledger.services.organisation import create_branch, create_company, create_region
from treasury.models import (
    ApprovalTier,
    Holiday,
    LimitScope,
    PaymentPolicy,
    SpendingLimit,
    TreasuryFund,
)
from treasury.services.calendars import add_holiday
from treasury.services.funds import open_fund
from treasury.services.limits import set_spending_limit
from treasury.services.policies import set_approval_tiers, set_code_threshold
from treasury.tiers import APPROVER_AND_CFO, ONE, Tier

PASSWORD = "bursar-demo"  # noqa: S105 -- printed at the start for everyone to see
# Who may have his codes by SMS; the demo writes those where it writes mail.
PHONES = {"treasurer": "+254700000101", "cfo": "+254700000102"}
LOADER = Actor.system("load_demo")
# One approval up to and including the first amount, a code strictly above the second.
LIMITS = {"KES": (50_000, 1_000), "UGX": (1_500_000, 30_000), "RWF": (500_000, 10_000)}


@dataclass(frozen=True, slots=True)
class Person:
    """A demo user: what he signs in with, his name, and his role in the company."""

    username: str
    first_name: str
    last_name: str
    role: Role | None


@dataclass(frozen=True, slots=True)
class FundPlan:
    """A fund to be opened: in a branch or region, or the company's own, and what it starts with."""

    name: str
    currency: str
    opening: int
    reorder_level: int
    target_level: int
    region: str | None = None
    branch: str | None = None


@dataclass(frozen=True, slots=True)
class CompanyPlan:
    """A company to be created, with everything in it."""

    name: str
    code: str
    currency: str
    time_zone: str
    domain: str
    places: dict[str, tuple[str, ...]]
    people: tuple[Person, ...]
    funds: tuple[FundPlan, ...]
    # Days of the year, as month and day, on which nothing goes out.
    holidays: tuple[tuple[int, int, str], ...] = ()
    # At most so many payments of so much go to one payee in a day, in the company's own currency.
    most_to_payee: tuple[int, int] | None = None


@dataclass
class Cast:
    """What was made of the plans: companies by code, people by username, funds by name."""

    companies: dict[str, Company] = field(default_factory=dict)
    people: dict[str, User] = field(default_factory=dict)
    funds: dict[str, TreasuryFund] = field(default_factory=dict)


FREIGHT = CompanyPlan(
    name="Mbuni Freight Ltd",
    code="mbuni",
    currency="KES",
    time_zone="Africa/Nairobi",
    domain="mbuni-freight.example",
    places={
        "Nairobi and Rift": ("Nairobi yard", "Nakuru depot"),
        "Coast": ("Mombasa port office",),
        "Great Lakes": ("Kampala depot", "Kigali depot"),
    },
    people=(
        Person("requester", "Achieng", "Otieno", Role.REQUESTER),
        Person("approver", "Joseph", "Mwangi", Role.APPROVER),
        Person("treasurer", "Fatuma", "Hassan", Role.TREASURER),
        Person("reconciler", "Brian", "Kiprotich", Role.RECONCILER),
        Person("cfo", "Grace", "Wanjiru", Role.CFO),
        Person("auditor", "Peter", "Okello", Role.AUDITOR),
        Person("admin", "Samuel", "Njoroge", None),
        Person("owner", "Halima", "Abdi", Role.OWNER),
    ),
    funds=(
        FundPlan("Head office operations", "KES", 2_400_000, 600_000, 2_500_000),
        FundPlan(
            "Nakuru depot float",
            "KES",
            480_000,
            40_000,
            480_000,
            "Nairobi and Rift",
            "Nakuru depot",
        ),
        FundPlan("Mombasa port clearance", "KES", 900_000, 200_000, 900_000, "Coast"),
        FundPlan(
            "Nairobi yard fuel", "KES", 190_000, 90_000, 350_000, "Nairobi and Rift", "Nairobi yard"
        ),
        FundPlan(
            "Kampala depot",
            "UGX",
            5_200_000,
            3_200_000,
            12_000_000,
            "Great Lakes",
            "Kampala depot",
        ),
        FundPlan(
            "Kigali depot", "RWF", 1_700_000, 1_200_000, 4_000_000, "Great Lakes", "Kigali depot"
        ),
    ),
)

GROWERS = CompanyPlan(
    name="Gishwati Growers Cooperative",
    code="gishwati",
    currency="RWF",
    time_zone="Africa/Kigali",
    domain="gishwati-growers.example",
    places={
        "Rwanda": ("Kigali office", "Rubavu washing station"),
        "Exports": ("Kampala liaison", "Mombasa export desk"),
    },
    people=(
        Person("other_requester", "Claudine", "Uwase", Role.REQUESTER),
        Person("other_approver", "Eric", "Habimana", Role.APPROVER),
        Person("other_treasurer", "Solange", "Mukamana", Role.TREASURER),
        Person("other_cfo", "Jean-Paul", "Nkurunziza", Role.CFO),
        Person("other_owner", "Béatrice", "Ingabire", Role.OWNER),
    ),
    funds=(
        FundPlan("Kigali office", "RWF", 2_100_000, 1_500_000, 6_000_000, "Rwanda"),
        FundPlan(
            "Rubavu washing station",
            "RWF",
            900_000,
            600_000,
            2_500_000,
            "Rwanda",
            "Rubavu washing station",
        ),
        FundPlan(
            "Kampala liaison", "UGX", 2_600_000, 1_500_000, 6_500_000, "Exports", "Kampala liaison"
        ),
        FundPlan(
            "Mombasa export desk", "KES", 100_000, 60_000, 250_000, "Exports", "Mombasa export desk"
        ),
    ),
    holidays=((7, 4, "Liberation Day"), (12, 25, "Christmas Day")),
    most_to_payee=(10, 5_000_000),
)

COMPANIES = (FREIGHT, GROWERS)


def assemble() -> Cast:
    """Make what is missing of companies, places, people, rules and funds, and return all of it.

    May be cut off anywhere and run again: what is there is taken as it is.
    """
    cast = Cast()
    password = make_password(PASSWORD)
    for plan in COMPANIES:
        company = Company.objects.filter(code=plan.code).first() or create_company(
            actor=LOADER,
            name=plan.name,
            code=plan.code,
            currency=plan.currency,
            time_zone=plan.time_zone,
        )
        cast.companies[plan.code] = company
        places = _places(company, plan)
        for person in plan.people:
            cast.people[person.username] = _user(company, person, plan.domain, password)
        _set_rules(company)
        _set_times(company, plan)
        for fund in plan.funds:
            cast.funds[fund.name] = _fund(company, fund, places)
    return cast


def _places(company: Company, plan: CompanyPlan) -> dict[str | None, UUID | None]:
    """Make regions and branches; return their ids by name."""
    places: dict[str | None, UUID | None] = {None: None}
    for region_name, branch_names in plan.places.items():
        region = Region.objects.filter(company=company, name=region_name).first()
        region = region or create_region(actor=LOADER, company=company, name=region_name)
        places[region_name] = region.pk
        for name in branch_names:
            branch = Branch.objects.filter(region=region, name=name).first()
            places[name] = (branch or create_branch(actor=LOADER, region=region, name=name)).pk
    return places


def _user(company: Company, person: Person, domain: str, password: str) -> User:
    user = User.objects.filter(username=person.username).first()
    user = user or _create_user(company, person, domain, password)
    role = person.role
    if role and not Membership.objects.filter(user=user, company=company, role=role).exists():
        grant_membership(actor=LOADER, user_id=user.pk, company_id=company.pk, role=role)
    return user


@transaction.atomic
def _create_user(company: Company, person: Person, domain: str, password: str) -> User:
    """Create a person who can sign in; without a role he administers, and an owner sees no admin."""
    user = User.objects.create(
        username=person.username,
        first_name=person.first_name,
        last_name=person.last_name,
        email=f"{person.username}@{domain}",
        phone=PHONES.get(person.username),
        password=password,
        is_staff=person.role is not Role.OWNER,
        is_superuser=person.role is None,
    )
    audit.record(
        actor=LOADER,
        action="user.create",
        subject=f"ledger.user:{user.pk}",
        company_id=company.pk,
        after={"username": user.username},
    )
    return user


def _set_rules(company: Company) -> None:
    for currency, (limit, code_above) in LIMITS.items():
        here = {"company": company, "currency": currency}
        if not ApprovalTier.objects.filter(**here).exists():
            tiers = [Tier(Decimal(limit), ONE), Tier(None, APPROVER_AND_CFO)]
            set_approval_tiers(actor=LOADER, company_id=company.pk, currency=currency, tiers=tiers)
        if not PaymentPolicy.objects.filter(**here).exists():
            set_code_threshold(
                actor=LOADER, company_id=company.pk, currency=currency, code_above=code_above
            )


def _set_times(company: Company, plan: CompanyPlan) -> None:
    """Set the plan's limit of a day and the next of each of its holidays."""
    if plan.most_to_payee and not SpendingLimit.objects.filter(company=company).exists():
        number, amount = plan.most_to_payee
        set_spending_limit(
            actor=LOADER,
            company_id=company.pk,
            currency=plan.currency,
            scope=LimitScope.PAYEE,
            most_payments=number,
            most_amount=amount,
        )
    now = today(company)
    for month, day, name in plan.holidays:
        if not Holiday.objects.filter(company=company, name=name).exists():
            on = date(now.year, month, day)
            on = on if on >= now else on.replace(year=now.year + 1)
            add_holiday(actor=LOADER, company_id=company.pk, on=on, name=name)


def _fund(company: Company, plan: FundPlan, places: dict[str | None, UUID | None]) -> TreasuryFund:
    known = TreasuryFund.objects.select_related("company").filter(company=company, name=plan.name)
    return known.first() or open_fund(
        actor=LOADER,
        company_id=company.pk,
        name=plan.name,
        currency=plan.currency,
        region_id=places[plan.region],
        branch_id=places[plan.branch],
        reorder_level=plan.reorder_level,
        target_level=plan.target_level,
    )
