"""Setting up the organisation: companies, regions, branches, and the first administrator."""

from django.core.exceptions import ValidationError

from ledger import audit
from ledger.actor import Actor
from ledger.commands import command
from ledger.models import Branch, Company, Region, User
from ledger.refusals import InvalidInput


@command("company.create")
def create_company(
    *,
    actor: Actor,
    name: str,
    code: str,
    currency: str,
    time_zone: str,
    separate_executor: bool = True,
) -> Company:
    """Create a company and return it.

    ``currency`` is an ISO 4217 code, ``time_zone`` an IANA name, ``separate_executor`` whether an approver
    is kept from executing. Raises ``InvalidInput`` naming the field, also for a name or code in use.
    """
    company = Company(
        name=name,
        code=code,
        currency=currency,
        time_zone=time_zone,
        separate_executor=separate_executor,
    )
    try:
        company.full_clean()
    except ValidationError as error:
        raise InvalidInput("The company cannot be created.", errors=error.message_dict) from error
    company.save(force_insert=True)
    _record(
        actor,
        "company.create",
        f"ledger.company:{company.pk}",
        company,
        {"name": name, "code": code},
    )
    return company


@command("region.create")
def create_region(*, actor: Actor, company: Company, name: str) -> Region:
    """Create a region of the company and return it."""
    region = Region.objects.create(company=company, name=name)
    _record(actor, "region.create", f"ledger.region:{region.pk}", company, {"name": name})
    return region


@command("branch.create")
def create_branch(*, actor: Actor, region: Region, name: str) -> Branch:
    """Create a branch of the region and return it."""
    branch = Branch.objects.create(region=region, name=name)
    _record(actor, "branch.create", f"ledger.branch:{branch.pk}", region.company, {"name": name})
    return branch


@command("administrator.create")
def create_administrator(*, actor: Actor, username: str, email: str, password: str) -> User:
    """Create a superuser who can sign in to the admin and return him; he grants all other roles.

    Raises ``InvalidInput`` on ``username`` when it is taken or cannot be read.
    """
    user = User(username=username, email=email, is_staff=True, is_superuser=True)
    user.set_password(password)
    try:
        user.full_clean()
    except ValidationError as error:
        raise InvalidInput(
            "The administrator cannot be created.", errors=error.message_dict
        ) from error
    user.save(force_insert=True)
    _record(actor, "administrator.create", f"ledger.user:{user.pk}", None, {"username": username})
    return user


def _record(
    actor: Actor, action: str, subject: str, company: Company | None, after: dict[str, str]
) -> None:
    audit.record(
        actor=actor,
        action=action,
        subject=subject,
        company_id=company.pk if company else None,
        after=after,
    )
