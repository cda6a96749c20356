"""What can be done to associations, owners and properties, each by the command that the API uses too."""

from typing import Any

from ledger.actor import Actor
from ledger.admin.steps import Given, Step
from ledger.clock import today
from ledger.refusals import InvalidInput
from periods.admin import forms
from periods.admin.asking import KEEPERS, editing, making, number_of, pk_of
from periods.models import (
    Association,
    Owner,
    Property,
)
from periods.services.associations import create_association, edit_association
from periods.services.late_fees import set_late_fee_rule
from periods.services.owners import add_owner, edit_owner
from periods.services.properties import add_property, edit_property, transfer_property
from periods.services.statements import remind_owners


def _create_association(actor: Actor, _row: None, given: Given) -> Association:
    return create_association(
        actor=actor,
        company_id=given["company"].pk,
        name=given["name"],
        currency=given["currency"].upper(),
        branch_id=pk_of(given["branch"]),
        fund_id=pk_of(given["fund"]),
        remainder_rule=given["remainder_rule"],
        recalculation=given["recalculation"],
    )


def _edit_association(actor: Actor, row: Association, given: Given) -> object:
    return edit_association(actor=actor, association_id=row.pk, **given)


def _set_late_fees(actor: Actor, row: Association, given: Given) -> object:
    return set_late_fee_rule(
        actor=actor,
        association_id=row.pk,
        grace_days=number_of(given, "grace_days"),
        fixed_fee=given["fixed_fee"],
        yearly_percent=given["yearly_percent"],
        cap=given["cap"] or None,
    )


def _remind_all(actor: Actor, row: Association, _given: Given) -> object:
    return remind_owners(actor=actor, association_id=row.pk, owner_ids=None, today=today)


def _remind(actor: Actor, row: Owner, _given: Given) -> object:
    made = remind_owners(
        actor=actor, association_id=row.association_id, owner_ids=[row.pk], today=today
    )
    if not made:
        raise InvalidInput("He owes nothing, has no address, or was reminded today.")
    return made[0]


def _add_owner(actor: Actor, _row: None, given: Given) -> Owner:
    association = given["association"]
    return add_owner(actor=actor, association_id=association.pk, **_of_owner(given))


def _edit_owner(actor: Actor, row: Owner, given: Given) -> object:
    return edit_owner(actor=actor, owner_id=row.pk, **_of_owner(given))


def _of_owner(given: Given) -> dict[str, Any]:
    return {"name": given["name"], "email": given["email"], "user_id": pk_of(given["login"])}


def _add_property(actor: Actor, _row: None, given: Given) -> Property:
    return add_property(
        actor=actor,
        association_id=given["association"].pk,
        owner_id=given["owner"].pk,
        label=given["label"],
        share_weight=given["share_weight"],
    )


def _edit_property(actor: Actor, row: Property, given: Given) -> object:
    return edit_property(actor=actor, property_id=row.pk, **given)


def _transfer(actor: Actor, row: Property, given: Given) -> object:
    return transfer_property(
        actor=actor, property_id=row.pk, owner_id=given["owner"].pk, from_on=given["from_on"]
    )


CREATE_ASSOCIATION = making(
    _create_association, forms.NewAssociation, label="Set up an association", done="set up"
)
ASSOCIATION = (
    Step(
        name="remind",
        label="Remind owners in debt",
        done="reminders go out by mail",
        run=_remind_all,
        roles=KEEPERS,
        tone="main",
        hint="Everybody who owes something and has an address gets a mail, at most one a day.",
    ),
    Step(
        name="late-fees",
        label="Set late fees",
        done="late fees are set",
        run=_set_late_fees,
        roles=KEEPERS,
        form=forms.LateFees,
        bulk=False,
        hint="For instalments that are not paid in time. What was charged before stays.",
    ),
    editing(
        _edit_association,
        forms.EditAssociation,
        hint="Closed periods keep the rule that they were closed under.",
    ),
)
ADD_OWNER = making(_add_owner, forms.NewOwner, label="Add an owner", done="added")
OWNER = (
    Step(
        name="remind",
        label="Remind of debt",
        done="a reminder goes out by mail",
        run=_remind,
        roles=KEEPERS,
        tone="main",
        fits=lambda row: row.account.balance < 0,
        hint="He gets a mail that says what he owes, at most one a day.",
    ),
    editing(_edit_owner, forms.EditOwner),
)
ADD_PROPERTY = making(_add_property, forms.NewProperty, label="Add a property", done="added")
PROPERTY = (
    Step(
        name="transfer",
        label="Transfer to another owner",
        done="transferred",
        run=_transfer,
        roles=KEEPERS,
        form=forms.Transfer,
        bulk=False,
    ),
    editing(
        _edit_property,
        forms.EditProperty,
        hint="It counts for periods that are closed from now on.",
    ),
)
