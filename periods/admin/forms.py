"""Forms that steps of periods share: owners, items and properties of the row's own association."""

from typing import Any

from django import forms
from django.db.models import QuerySet

from ledger.access import companies_of, visible
from ledger.admin.steps import StepForm, choice, day, line, money, row_choice, several
from ledger.models import Branch, User
from ledger.roles import Role
from periods.duties import KEEPERS
from periods.models import Association, BudgetItem, Meter, Owner, Property
from periods.states import Billing, Fallback, Recalculation, RemainderRule, Strategy
from treasury.methods import Method
from treasury.models import TreasuryFund


def offer(form: StepForm, name: str, rows: QuerySet[Any]) -> None:
    """Let a field name one of these rows."""
    field = form.fields[name]
    assert isinstance(field, forms.ModelChoiceField)
    field.queryset = rows


def association_of(form: StepForm) -> Any:
    """The association of the row that a step is about."""
    row = form.rows[0]
    return row if isinstance(row, Association) else row.association


def fill(form: StepForm, **values: Any) -> None:
    """Show present values; what was typed wins over them."""
    for name, value in values.items():
        form.fields[name].initial = value


class NewAssociation(StepForm):
    name = line("Name", max_length=120)
    branch = row_choice("Branch", required=False, help_text="Empty: the whole company.")
    fund = row_choice(
        "Fund", required=False, help_text="Its money is then the fund's, and treasury pays."
    )
    company = row_choice("Company")
    currency = line("Currency", max_length=3, help_text="Three letters, such as KES.")
    remainder_rule = choice("Cents left over go to", RemainderRule.choices)
    recalculation = choice("A correction of a closed period", Recalculation.choices)

    def prepare(self) -> None:
        funds = TreasuryFund.objects.filter(association=None).order_by("name")
        offer(self, "fund", visible(funds, self.user, roles=KEEPERS))
        offer(self, "company", _companies(self.user))
        branches = Branch.objects.filter(region__company__in=_companies(self.user))
        offer(self, "branch", branches.select_related("region").order_by("name"))


def _companies(user: User) -> Any:
    return companies_of(user, *KEEPERS).order_by("name")


class EditAssociation(StepForm):
    name = line("Name", max_length=120)
    remainder_rule = choice("Cents left over go to", RemainderRule.choices)
    recalculation = choice("A correction of a closed period", Recalculation.choices)

    def prepare(self) -> None:
        row = association_of(self)
        fill(
            self, name=row.name, remainder_rule=row.remainder_rule, recalculation=row.recalculation
        )


class OfAssociation(StepForm):
    """Something new of an association that the person keeps."""

    association = row_choice("Association")

    def prepare(self) -> None:
        rows = visible(Association.objects.order_by("name"), self.user, roles=KEEPERS)
        offer(self, "association", rows)


class NewOwner(OfAssociation):
    name = line("Name", max_length=160)
    email = line("E-mail", required=False, max_length=254)
    login = row_choice("Login", required=False, help_text="With one he sees his own statements.")

    def prepare(self) -> None:
        super().prepare()
        offer(self, "login", _owner_logins(self.user))


def _owner_logins(user: User) -> QuerySet[User]:
    rows = User.objects.filter(
        is_active=True, memberships__role=Role.OWNER, memberships__company__in=_companies(user)
    )
    return rows.distinct().order_by("username")


class EditOwner(StepForm):
    name = line("Name", max_length=160)
    email = line("E-mail", required=False, max_length=254)
    login = row_choice("Login", required=False, help_text="Empty: as it is.")

    def prepare(self) -> None:
        offer(self, "login", _owner_logins(self.user))
        fill(self, name=self.rows[0].name, email=self.rows[0].email, login=self.rows[0].user)


class NewProperty(OfAssociation):
    owner = row_choice("Owner")
    label = line("Label", max_length=120)
    share_weight = line("Share weight", max_length=20)

    def prepare(self) -> None:
        super().prepare()
        rows = Owner.objects.select_related("association").order_by("association", "number")
        offer(self, "owner", visible(rows, self.user, prefix="association__", roles=KEEPERS))


class EditProperty(StepForm):
    label = line("Label", max_length=120)
    share_weight = line("Share weight", max_length=20)
    active = forms.BooleanField(label="Shares in costs", required=False)

    def prepare(self) -> None:
        row = self.rows[0]
        weight = f"{row.share_weight.normalize():f}"
        fill(self, label=row.label, share_weight=weight, active=row.active)


class Transfer(StepForm):
    owner = row_choice("New owner")
    from_on = day("From", help_text="He shares in costs from this day.")

    def prepare(self) -> None:
        offer(self, "owner", Owner.objects.filter(association=association_of(self)))


class NewPeriod(OfAssociation):
    name = line("Name", max_length=120)
    start_date = day("First day")
    end_date = day("Last day")


class NewContribution(StepForm):
    owner = row_choice("Owner")
    amount = money("Amount")
    date = day("Date")
    comment = line("Comment", required=False, max_length=500)

    def prepare(self) -> None:
        offer(self, "owner", Owner.objects.filter(association=association_of(self)))


class EditContribution(NewContribution):
    def prepare(self) -> None:
        super().prepare()
        row = self.rows[0]
        fill(self, owner=row.owner, amount=row.amount, date=row.date, comment=row.comment)


class ExpenseForm(StepForm):
    payment_type = line("Payment type", max_length=80)
    amount = money("Amount")
    date = day("Date")
    paid_by = row_choice("Paid by", required=False, help_text="Empty: the association.")
    budget_item = row_choice("Budget item", required=False, help_text="Needed before the close.")
    vendor = line("Vendor", required=False, max_length=160)
    description = line("Description", required=False, max_length=500)

    def prepare(self) -> None:
        row = self.rows[0]
        period = getattr(row, "period", row)
        offer(self, "paid_by", Owner.objects.filter(association=association_of(self)))
        offer(self, "budget_item", BudgetItem.objects.filter(period=period))


class NewExpense(ExpenseForm):
    kind = choice("Kind", [("expense", "Expense"), ("refund", "Refund")])


class EditExpense(ExpenseForm):
    def prepare(self) -> None:
        super().prepare()
        row = self.rows[0]
        names = ("payment_type", "amount", "date", "paid_by", "budget_item", "vendor")
        fill(self, description=row.description, **{name: getattr(row, name) for name in names})


class Pay(StepForm):
    payee_name = line("Payee", max_length=160)
    method = choice("Method", Method.choices)
    destination = line("To", max_length=160, help_text="Phone, bank account, or where cash is.")

    def prepare(self) -> None:
        fill(self, payee_name=self.rows[0].vendor)


class NewCharge(StepForm):
    owner = row_choice("Owner")
    amount = money("Amount")
    description = line("For", max_length=500)
    date = day("Date", required=False, help_text="Empty: today.")

    def prepare(self) -> None:
        offer(self, "owner", Owner.objects.filter(association=association_of(self)))


class EditCharge(StepForm):
    amount = money("Amount")
    description = line("For", max_length=500)
    date = day("Date")

    def prepare(self) -> None:
        row = self.rows[0]
        fill(self, amount=row.amount, description=row.description, date=row.date)


class NewItem(StepForm):
    payment_type = line("Payment type", max_length=80)
    budgeted_cost = money("Budget")
    allocation_strategy = choice("Shared", Strategy.choices)
    scope = several("Among", (), help_text="None: all active properties.")
    base_percent = line(
        "Per cent by share first",
        required=False,
        max_length=6,
        help_text="For what goes by consumption.",
    )
    fallback = choice("Where nothing was consumed", Fallback.choices)
    billing = choice("Readings are", Billing.choices)

    def prepare(self) -> None:
        rows = Property.objects.filter(association=association_of(self), active=True)
        field = self.fields["scope"]
        assert isinstance(field, forms.MultipleChoiceField)
        field.choices = [(str(row.pk), row.label) for row in rows]


class EditItem(NewItem):
    def prepare(self) -> None:
        super().prepare()
        row = self.rows[0]
        names = ("payment_type", "budgeted_cost", "allocation_strategy", "base_percent")
        fill(
            self,
            scope=[str(unit.pk) for unit in row.scope.all()],
            fallback=row.fallback,
            billing=row.billing,
            **{name: getattr(row, name) for name in names},
        )


class NewMeter(OfAssociation):
    property = row_choice("Property", required=False, help_text="Empty: the main meter.")
    budget_item = row_choice("Budget item", help_text="It counts for its payment type.")
    label = line("Label", required=False, max_length=80)
    digits = line("Digits", max_length=2, help_text="Before the point.")
    multiplier = line("Multiplier", max_length=14)

    def prepare(self) -> None:
        super().prepare()
        kept = visible(Association.objects.all(), self.user, roles=KEEPERS)
        offer(self, "property", Property.objects.filter(association__in=kept))
        items = BudgetItem.objects.filter(
            association__in=kept, allocation_strategy=Strategy.USAGE_BASED
        )
        offer(self, "budget_item", items)
        fill(self, digits="6", multiplier="1")


class NewReading(StepForm):
    meter = row_choice("Meter")
    meter_start_reading = line(
        "Start", required=False, max_length=15, help_text="Empty: from the last reading on."
    )
    meter_end_reading = line(
        "End", required=False, max_length=15, help_text="Empty for an estimate."
    )
    kind = choice("Kind", [("ACTUAL", "Read"), ("ESTIMATED", "Estimated")])
    from_on = day("From", required=False, help_text="Empty: the period's first day.")
    to_on = day("To", required=False, help_text="Empty: the period's last day.")
    unit_price = line("Price of a unit", required=False, max_length=17)
    rolled_over = forms.BooleanField(label="The counter began again at zero", required=False)
    confirmed = forms.BooleanField(label="Yes, it is that much", required=False)

    def prepare(self) -> None:
        rows = Meter.objects.filter(association=association_of(self)).select_related("property")
        offer(self, "meter", rows)


class LateFees(StepForm):
    grace_days = line("Days of grace", max_length=3)
    fixed_fee = money("Fee", help_text="Once for each instalment that is late.")
    yearly_percent = line("Interest a year, per cent", max_length=8)
    cap = money("At most", required=False, help_text="Empty: no limit.")

    def prepare(self) -> None:
        rule = getattr(association_of(self), "late_fee_rule", None)
        if rule is None:
            fill(self, grace_days="0", fixed_fee="0", yearly_percent="0")
            return
        percent = f"{rule.yearly_percent.normalize():f}"
        fill(
            self,
            grace_days=rule.grace_days,
            fixed_fee=rule.fixed_fee,
            yearly_percent=percent,
            cap=rule.cap,
        )


class Instalments(StepForm):
    description = line("For", max_length=200)
    amount = money("Amount", help_text="Of all owners together.")
    instalments = line("Instalments", max_length=3)
    first_due_on = day("First due on")
    every_months = line("Every so many months", max_length=2)
    budget_item = row_choice(
        "Shared as", required=False, help_text="Empty: by the weight of all properties."
    )

    def prepare(self) -> None:
        shared = (Strategy.PROPORTIONAL, Strategy.FIXED_FEE)
        items = BudgetItem.objects.filter(period=self.rows[0], allocation_strategy__in=shared)
        offer(self, "budget_item", items)
        fill(self, instalments="1", every_months="1")


class OnDay(StepForm):
    on = day("Up to and including")
