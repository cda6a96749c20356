"""Who calls the API, and from which places."""

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

import pytest
from pytest_django import DjangoDbBlocker
from rest_framework.test import APIClient

from ledger.models import Branch, Company, Region, User
from ledger.roles import Role
from tests.api.caller import Caller
from tests.api.village import FIRST, Village, build_village
from tests.ledger.factories import (
    BranchFactory,
    CompanyFactory,
    MembershipFactory,
    RegionFactory,
    UserFactory,
)
from tests.treasury.conftest import gateway
from tests.treasury.desk import Desk, make_desk
from tests.undone import undone

__all__ = ["gateway"]


@dataclass
class Organisation:
    """A company with a region and two branches, and another company."""

    company: Company = field(default_factory=CompanyFactory.create)
    other: Company = field(default_factory=CompanyFactory.create)
    region: Region = field(init=False)
    branch: Branch = field(init=False)
    sibling: Branch = field(init=False)

    def __post_init__(self) -> None:
        self.region = RegionFactory.create(company=self.company)
        self.branch = BranchFactory.create(region=self.region)
        self.sibling = BranchFactory.create(region=self.region)

    def person(self, *roles: Role, at: Company | Branch | None = None, **details: Any) -> User:
        """Somebody with these roles in the company, or at another place."""
        place = at or self.company
        user = UserFactory.create(**details)
        for role in roles:
            where: dict[str, Any] = {"company": place}
            if isinstance(place, Branch):
                where = {"company": place.region.company, "region": place.region, "branch": place}
            MembershipFactory.create(user=user, role=role, **where)
        return user


@pytest.fixture
def organisation(db: None) -> Organisation:
    return Organisation()


@pytest.fixture(scope="module")
def built_desk(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, redis_server: object
) -> Iterator[Desk]:
    """A company with tiers, a filled fund and people; codes are needed above 200,000."""
    with django_db_blocker.unblock(), undone():
        yield make_desk()


@pytest.fixture
def desk(built_desk: Desk, db: None) -> Desk:
    """The same for each test of a module; what a test does to it is undone."""
    return deepcopy(built_desk)


Calling = Callable[[User | None], APIClient]


@pytest.fixture
def calling() -> Calling:
    """A client that calls as this person, or as nobody."""
    return lambda user: Caller(user).client


@pytest.fixture(scope="module")
def built(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, redis_server: object
) -> Iterator[tuple[Village, str]]:
    """An association with its first period, built once for all tests and rolled back in the end."""
    with django_db_blocker.unblock(), undone():
        village = build_village()
        yield village, village.period(*FIRST)


@pytest.fixture
def village(built: tuple[Village, str]) -> Iterator[Village]:
    with undone():
        yield built[0].copy()


@pytest.fixture
def period(built: tuple[Village, str], village: Village) -> str:
    return built[1]
