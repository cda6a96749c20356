"""Rows that hand-written SQL finds, as instances."""

import pytest

from ledger.models import Company
from ledger.rows import Columns, rows_of
from tests.ledger.factories import CompanyFactory


@pytest.mark.parametrize("how", [{"only": ("id", "code")}, {"without": ("name", "time_zone")}])
def test_what_was_left_in_the_database_is_read_when_somebody_asks(
    db: None, how: dict[str, tuple[str, ...]]
) -> None:
    company = CompanyFactory.create(name="Acacia", code="acacia")
    columns = Columns(Company, **how)
    ((*values,),) = rows_of(f"SELECT {columns.of('one')} FROM ledger_company one", [])
    found = columns.read(iter(values))
    assert "name" in found.get_deferred_fields()
    assert (found.pk, found.code, found.name) == (company.pk, "acacia", "Acacia")


@pytest.mark.parametrize("how", [{"only": ("id", "colour")}, {"without": ("colour",)}])
def test_a_field_that_a_model_has_not_is_refused(how: dict[str, tuple[str, ...]]) -> None:
    with pytest.raises(ValueError, match="Company has no colour"):
        Columns(Company, **how)
