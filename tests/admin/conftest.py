"""Two offices: what happens in one is nothing to the other."""

import pytest
from django.db.models import Model

from tests.admin.office import Office, make_office, one_of_everything


@pytest.fixture
def office(db: None) -> Office:
    return make_office()


@pytest.fixture
def other_office(office: Office) -> Office:
    return make_office()


@pytest.fixture
def everything(office: Office) -> dict[type[Model], Model]:
    return one_of_everything(office)
