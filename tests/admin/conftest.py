"""Two offices: what happens in one is nothing to the other."""

from collections.abc import Iterator
from copy import deepcopy

import pytest
from django.db.models import Model
from pytest_django import DjangoDbBlocker

from tests.admin.office import Office, make_office, one_of_everything
from tests.undone import undone

Furnished = tuple[Office, dict[type[Model], Model]]


@pytest.fixture(scope="module")
def built(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, redis_server: object
) -> Iterator[Furnished]:
    """An office with one of everything, built once for all tests and rolled back in the end."""
    with django_db_blocker.unblock(), undone():
        office = make_office()
        yield office, one_of_everything(office)


@pytest.fixture
def furnished(built: Furnished, db: None) -> Furnished:
    return deepcopy(built)


@pytest.fixture
def office(request: pytest.FixtureRequest, db: None) -> Office:
    """A new office; the one that has everything for a test that asks for everything."""
    if "everything" in request.fixturenames:
        furnished: Furnished = request.getfixturevalue("furnished")
        return furnished[0]
    return make_office()


@pytest.fixture
def other_office(office: Office) -> Office:
    return make_office()


@pytest.fixture
def everything(furnished: Furnished) -> dict[type[Model], Model]:
    return furnished[1]
