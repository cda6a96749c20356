"""A process dies while it closes a period or recalculates the later ones: asked again, the sheets are the same."""

from datetime import date

import pytest

from periods.models import AllocationRun, BalanceSheet, RecalculationRun, ServicePeriod
from periods.reckoning import reckon
from periods.sheet_document import canonical, document_of, fingerprint
from tests.crash.workers import Workers
from tests.periods.estate import Estate, build_estate
from tests.scene import assert_books_hold

# Which statement of a close the process does not survive; a close has some forty, a recalculation some sixty.
STATEMENTS = (4, 19, 31)
LATER = (30, 44, 52)


@pytest.fixture
def estate(transactional_db: None) -> Estate:
    return build_estate()


def hash_to_be(period: ServicePeriod) -> str:
    period = ServicePeriod.objects.select_related("association").get(pk=period.pk)
    return fingerprint(canonical(document_of(period, reckon(period))))


def killed(workers: Workers, estate: Estate, period: ServicePeriod, **where: object) -> bool:
    user = estate.scene.people["cfo"].pk
    step = {"close": period.pk, "user": user, "passed": 0, "limited": [], **where}
    return workers.run(**step).killed


def state(*periods: ServicePeriod) -> list[tuple[str, int]]:
    rows = ServicePeriod.objects.filter(pk__in=[period.pk for period in periods])
    return list(rows.order_by("start_date").values_list("status", "version"))


def test_a_close_that_died_is_as_if_it_had_not_been(workers: Workers, estate: Estate) -> None:
    period = estate.period()
    estate.expense(period, "1000.01", item=estate.item(period))
    estate.contribution(period, "Ann", "450.00")
    expected = hash_to_be(period)
    for statement in STATEMENTS:
        assert killed(workers, estate, period, statement=statement)
    assert killed(workers, estate, period, commit=1, side="before")
    assert state(period) == [("OPEN", 0)]
    assert not AllocationRun.objects.exists()
    assert killed(workers, estate, period, commit=1, side="after")
    assert state(period) == [("CLOSED", 1)]
    assert BalanceSheet.objects.get().hash == expected
    assert_books_hold()


def test_a_recalculation_that_died_leads_to_the_same_sheets(
    workers: Workers, estate: Estate
) -> None:
    first = estate.period("P1", date(2026, 1, 1), date(2026, 3, 31))
    second = estate.period("P2", date(2026, 4, 1), date(2026, 6, 30))
    for period in (first, second):
        estate.expense(period, "1000.01", item=estate.item(period))
        estate.close(period)
    estate.reopen(first)
    estate.contribution(first, "Ann", "450.00")
    expected = hash_to_be(first)
    for statement in LATER:
        assert killed(workers, estate, first, statement=statement)
        assert state(first, second) == [("OPEN", 1), ("STALE", 1)]
    assert not killed(workers, estate, first)
    assert state(first, second) == [("CLOSED", 2), ("CLOSED", 2)]
    assert BalanceSheet.objects.get(period=first, version=2).hash == expected
    assert RecalculationRun.objects.count() == 1
    estate.reopen(second)
    assert estate.close(second).version == 2, "closed from scratch, it is the recalculated sheet"
    assert_books_hold()


@pytest.mark.full
def test_a_close_may_die_at_any_statement(workers: Workers, estate: Estate) -> None:
    first = estate.period("P1", date(2026, 1, 1), date(2026, 3, 31))
    second = estate.period("P2", date(2026, 4, 1), date(2026, 6, 30))
    for period in (first, second):
        estate.expense(period, "1000.01", item=estate.item(period))
        estate.close(period)
    estate.reopen(first)
    estate.charge(first, "Bob", "15.00")
    expected = hash_to_be(first)
    statement = 1
    while killed(workers, estate, first, statement=statement):
        assert state(first, second) == [("OPEN", 1), ("STALE", 1)]
        statement += 1
    assert statement > max(LATER)
    assert BalanceSheet.objects.get(period=first, version=2).hash == expected
    assert_books_hold()
