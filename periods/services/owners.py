"""Owners: the members of an association."""

from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from ledger.access import roles_of
from ledger.actor import Actor
from ledger.commands import command
from ledger.models import AccountType, User
from ledger.refusals import InvalidInput
from ledger.services.accounts import open_account
from periods import duties, locks
from periods.facts import facts_of
from periods.models import Association, Owner
from periods.services.noting import note
from periods.services.recording import UNCHANGED, Unchanged
from treasury.texts import optional_text, require_text

LONGEST_NAME = 160
LONGEST_EMAIL = 254


@command("owner.add")
def add_owner(
    *,
    actor: Actor,
    association_id: UUID,
    name: str,
    email: str = "",
    user_id: UUID | None = None,
) -> Owner:
    """Add an owner with an account of his own and return him; with a user he sees his own figures.

    Raises ``NotFound``, ``RoleRequired``, ``InvalidInput`` on the field.
    """
    association = locks.lock_association(association_id)
    duties.may_keep(actor, association)
    number = Owner.objects.filter(association=association).count() + 1
    owner = Owner(
        association=association,
        company_id=association.company_id,
        currency=association.currency,
        number=number,
        name=require_text(name, field="name", longest=LONGEST_NAME),
        email=_email(email),
        user=_login(association, user_id),
    )
    owner.account = open_account(
        company_id=association.company_id,
        code=f"2400.{association.number:03}.{number:05}",
        name=f"{association.name}: {owner.name}"[:LONGEST_NAME],
        type=AccountType.LIABILITY,
        currency=association.currency,
    )
    owner.save(force_insert=True)
    note(actor, "owner.add", owner, association=association)
    return owner


@command("owner.edit")
def edit_owner(
    *,
    actor: Actor,
    owner_id: UUID,
    name: str | None = None,
    email: str | None = None,
    user_id: UUID | Unchanged | None = UNCHANGED,
) -> Owner:
    """Change an owner's name, address or login; what is left out stays, None takes the login away.

    Raises ``NotFound``, ``RoleRequired``, ``InvalidInput`` on the field.
    """
    owner = locks.lock_owner(owner_id)
    association = owner.association
    duties.may_keep(actor, association)
    before = facts_of(owner, currency=association.currency)
    if name is not None:
        owner.name = require_text(name, field="name", longest=LONGEST_NAME)
    if email is not None:
        owner.email = _email(email)
    if not isinstance(user_id, Unchanged) and user_id != owner.user_id:
        owner.user = _login(association, user_id)
    owner.save(update_fields=["name", "email", "user"])
    note(actor, "owner.edit", owner, association=association, before=before)
    return owner


def _email(email: str) -> str:
    email = optional_text(email, field="email", longest=LONGEST_EMAIL)
    if email:
        try:
            validate_email(email)
        except ValidationError as error:
            raise InvalidInput.on("email", str(error.message)) from None
    return email


def _login(association: Association, user_id: UUID | None) -> User | None:
    """Return somebody with a role in the company; who has none there is told of nobody."""
    if user_id is None:
        return None
    user = User.objects.filter(pk=user_id, is_active=True).first()
    if user is None or not roles_of(
        user,
        company_id=association.company_id,
        region_id=association.region_id,
        branch_id=association.branch_id,
    ):
        raise InvalidInput.on("user", "There is no such user.")
    if Owner.objects.filter(association=association, user=user).exists():
        raise InvalidInput.on("user", "This login is another owner's.", code="user_taken")
    return user
