"""What every admin of Bursar must be like, asked of the registry."""

import re
from pathlib import Path

import pytest
from django.apps import apps
from django.contrib import admin
from django.db.models import DateTimeField, Model
from django.test import RequestFactory

from ledger.admin.base import SeenAdmin
from ledger.admin.filters import Between
from ledger.admin.forms import FormAdmin
from tests.admin.office import Office

ROOT = Path(__file__).resolve().parents[2]
OURS = ("ledger", "payments", "treasury", "periods")
# Bookkeeping of Bursar itself, or rows that stand on another row's page.
UNLISTED = {
    "ledger.dailytotal",
    "ledger.holdrelease",
    "ledger.idempotencykey",
    "ledger.keyfingerprint",
    "ledger.lastdone",
    "ledger.ledgerproof",
    "ledger.secondfactoruse",
    "ledger.statetransition",
    "ledger.stepup",
    "treasury.bankfileline",
    "treasury.batchapproval",
    "treasury.batchcode",
    "treasury.batchrow",
    "treasury.bankreportrow",
    "ledger.webhooktry",
    "treasury.decisioncode",
    "treasury.dailyspending",
    "treasury.enquiry",
    "treasury.failedtries",
    "treasury.latesuccess",
    "treasury.onetimecode",
    "treasury.question",
    "treasury.payeedestination",
    "treasury.requisitionapproval",
    "periods.allocatedexpense",
    "periods.allocationbasis",
    "periods.allocationrun",
    "periods.carrieddifference",
    "periods.instalment",
    "periods.latefeerule",
    "periods.openingbalances",
    "periods.owneropening",
    "periods.ownership",
    "periods.recalculatedperiod",
    "periods.recalculationrun",
    "periods.reminder",
    "periods.reopenrequest",
    "periods.scopedproperty",
    "periods.sheetline",
    "treasury.resolution",
    "treasury.reversal",
}
# Rows without a history in time: what is set once or is looked up by name.
UNDATED = {
    "ledger.account",
    "ledger.company",
    "ledger.region",
    "ledger.branch",
    "ledger.user",
    "payments.bankaccount",
    "payments.provider",
    "treasury.approvaltier",
    "treasury.paymentpolicy",
    "treasury.treasuryfund",
}
REGISTRY = sorted(admin.site._registry.items(), key=lambda held: held[0]._meta.label)


def named(held: tuple[type[Model], admin.ModelAdmin]) -> str:
    return held[0]._meta.label_lower


def test_every_model_is_in_the_admin_or_left_out_by_name() -> None:
    models = {
        model._meta.label_lower for app in OURS for model in apps.get_app_config(app).get_models()
    }
    registered = {named(held) for held in REGISTRY}
    assert models - registered == UNLISTED


def test_every_admin_is_made_of_steps_or_of_audited_forms() -> None:
    assert [
        named(held) for held in REGISTRY if not isinstance(held[1], SeenAdmin | FormAdmin)
    ] == []


@pytest.mark.parametrize("held", REGISTRY, ids=named)
def test_no_admin_has_actions_that_run_on_get(held: tuple[type[Model], admin.ModelAdmin]) -> None:
    """unfold runs row, list and detail actions by plain links; steps are asked for and then posted."""
    _, model_admin = held
    for name in ("actions_list", "actions_row", "actions_detail", "actions_submit_line"):
        assert not getattr(model_admin, name)


def test_the_actions_of_a_list_are_its_steps_and_nothing_else(office: Office) -> None:
    request = RequestFactory().get("/")
    request.user = office.administrator
    for model, model_admin in REGISTRY:
        bulk = {step.name for step in getattr(model_admin, "steps", ()) if step.bulk}
        assert set(model_admin.get_actions(request)) == bulk, model


@pytest.mark.parametrize("held", REGISTRY, ids=named)
def test_lists_are_short_searched_and_dated(held: tuple[type[Model], admin.ModelAdmin]) -> None:
    model, model_admin = held
    assert model_admin.list_per_page == 25
    assert model_admin.show_full_result_count is False
    assert model_admin.search_fields
    dated = any(isinstance(field, DateTimeField) for field in model._meta.fields)
    if dated and named(held) not in UNDATED:
        # Years and months are counted over all rows: a long list has the filter by dates alone.
        filters = [one[1] for one in model_admin.list_filter or () if isinstance(one, tuple)]
        ranges = [kind for kind in filters if issubclass(kind, Between)]
        assert model_admin.date_hierarchy or ranges


def test_nobody_may_delete_anything(office: Office) -> None:
    request = RequestFactory().get("/")
    request.user = office.administrator
    allowed = [model for model, held in REGISTRY if held.has_delete_permission(request)]
    assert allowed == []


def test_steps_have_distinct_names_within_an_admin() -> None:
    for _, model_admin in REGISTRY:
        names = [step.name for step in getattr(model_admin, "steps", ())]
        assert len(names) == len(set(names))


def test_nothing_is_marked_safe_by_hand() -> None:
    marks = re.compile(r"mark_safe|\|\s*safe\b|autoescape\s+off|safestring")
    sources = [*ROOT.glob("templates/**/*.html")]
    for app in ("config", *OURS):
        sources += ROOT.glob(f"{app}/**/*.py")
    assert [str(path) for path in sources if marks.search(path.read_text())] == []


def test_templates_fetch_nothing_from_elsewhere() -> None:
    sources = [*ROOT.glob("templates/**/*.html"), *ROOT.glob("ledger/static/bursar/*.css")]
    assert [str(path) for path in sources if "://" in path.read_text()] == []
