"""Periods' addresses."""

from django.urls import path

from periods.api import (
    associations,
    budget_items,
    charges,
    contributions,
    expenses,
    instalments,
    meters,
    opening_balances,
    owners,
    periods,
    properties,
    readings,
    recalculations,
    sheets,
    statements,
)

ASSOCIATION = "api/associations/<uuid:association_id>"
OWNER = "api/owners/<uuid:owner_id>"
PROPERTY = "api/properties/<uuid:property_id>"
PERIOD = "api/periods/<uuid:period_id>"
CONTRIBUTION = "api/contributions/<uuid:contribution_id>"
EXPENSE = "api/expenses/<uuid:expense_id>"
CHARGE = "api/charges/<uuid:charge_id>"
BUDGET_ITEM = "api/budget-items/<uuid:item_id>"
PLAN = "api/instalment-plans/<uuid:plan_id>"
METER = "api/meters/<uuid:meter_id>"
READING = "api/readings/<uuid:reading_id>"

urlpatterns = [
    path("api/associations/", associations.AssociationList.as_view()),
    path(f"{ASSOCIATION}/", associations.AssociationDetail.as_view()),
    path(f"{ASSOCIATION}/late-fee-rule/", instalments.LateFeeRuleDetail.as_view()),
    path(f"{ASSOCIATION}/opening-balances/", opening_balances.OpeningBalancesDetail.as_view()),
    path(f"{ASSOCIATION}/history/", associations.AssociationHistory.as_view()),
    path("api/owners/", owners.OwnerList.as_view()),
    path(f"{OWNER}/", owners.OwnerDetail.as_view()),
    path(f"{OWNER}/history/", owners.OwnerHistory.as_view()),
    path("api/properties/", properties.PropertyList.as_view()),
    path(f"{PROPERTY}/", properties.PropertyDetail.as_view()),
    path(f"{PROPERTY}/transfers/", properties.PropertyTransfer.as_view()),
    path(f"{PROPERTY}/history/", properties.PropertyHistory.as_view()),
    path("api/meters/", meters.MeterList.as_view()),
    path(f"{METER}/", meters.MeterDetail.as_view()),
    path(f"{METER}/history/", meters.MeterHistory.as_view()),
    path("api/periods/", periods.PeriodList.as_view()),
    path(f"{PERIOD}/", periods.PeriodDetail.as_view()),
    path(f"{PERIOD}/close/", periods.PeriodClose.as_view()),
    path(f"{PERIOD}/reopen/approve/", periods.PeriodApproveReopening.as_view()),
    path(f"{PERIOD}/reopen/reject/", periods.PeriodRejectReopening.as_view()),
    path(f"{PERIOD}/reopen/withdraw/", periods.PeriodWithdrawReopening.as_view()),
    path(f"{PERIOD}/recalculations/", recalculations.RecalculationList.as_view()),
    path(f"{PERIOD}/history/", periods.PeriodHistory.as_view()),
    path(f"{PERIOD}/balance-sheet/", sheets.PeriodBalanceSheet.as_view()),
    path(f"{PERIOD}/balances/<uuid:owner_id>/", sheets.OwnerBalance.as_view()),
    path(f"{PERIOD}/contributions/", contributions.ContributionList.as_view()),
    path(f"{PERIOD}/expenses/", expenses.ExpenseList.as_view()),
    path(f"{PERIOD}/charges/", charges.ChargeList.as_view()),
    path(f"{PERIOD}/budget-items/", budget_items.BudgetItemList.as_view()),
    path(f"{PERIOD}/budget-items/take-over/", periods.PeriodTakeOver.as_view()),
    path(f"{PERIOD}/statements/", statements.StatementList.as_view()),
    path(f"{PERIOD}/statements/<uuid:owner_id>/", statements.StatementFile.as_view()),
    path(f"{PERIOD}/instalments/", instalments.InstalmentList.as_view()),
    path(f"{PERIOD}/late-fees/", instalments.LateFeeList.as_view()),
    path(f"{PLAN}/", instalments.PlanDetail.as_view()),
    path(f"{PLAN}/withdraw/", instalments.PlanWithdraw.as_view()),
    path(f"{PLAN}/history/", instalments.PlanHistory.as_view()),
    path(f"{PERIOD}/readings/", readings.ReadingList.as_view()),
    path(f"{CONTRIBUTION}/", contributions.ContributionDetail.as_view()),
    path(f"{CONTRIBUTION}/void/", contributions.ContributionVoid.as_view()),
    path(f"{CONTRIBUTION}/history/", contributions.ContributionHistory.as_view()),
    path(f"{EXPENSE}/", expenses.ExpenseDetail.as_view()),
    path(f"{EXPENSE}/void/", expenses.ExpenseVoid.as_view()),
    path(f"{EXPENSE}/pay/", expenses.ExpensePay.as_view()),
    path(f"{EXPENSE}/history/", expenses.ExpenseHistory.as_view()),
    path(f"{CHARGE}/", charges.ChargeDetail.as_view()),
    path(f"{CHARGE}/void/", charges.ChargeVoid.as_view()),
    path(f"{CHARGE}/history/", charges.ChargeHistory.as_view()),
    path(f"{BUDGET_ITEM}/", budget_items.BudgetItemDetail.as_view()),
    path(f"{BUDGET_ITEM}/history/", budget_items.BudgetItemHistory.as_view()),
    path(f"{READING}/", readings.ReadingDetail.as_view()),
    path(f"{READING}/void/", readings.ReadingVoid.as_view()),
    path(f"{READING}/history/", readings.ReadingHistory.as_view()),
]
