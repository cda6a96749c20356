"""Taking API tokens away."""

from uuid import UUID

from knox.models import AuthToken

from ledger import audit
from ledger.actor import Actor
from ledger.commands import command
from ledger.refusals import NotFound, RoleRequired


@command("token.revoke")
def revoke_token(*, actor: Actor, user_id: UUID, digest: str) -> None:
    """End one API token of a user, at once.

    A person may end his own, an administrator anybody's (``RoleRequired``); ``NotFound`` when there is
    no such token. The trail keeps the token's first characters, by which its owner knows it.
    """
    if actor.user and not actor.user.is_superuser and actor.user_id != user_id:
        raise RoleRequired("Only an administrator ends another person's token.")
    token = AuthToken.objects.filter(digest=digest, user=user_id).first()
    if token is None:
        raise NotFound("There is no such token.")
    start = token.token_key
    token.delete()
    audit.record(
        actor=actor,
        action="token.revoke",
        subject=f"ledger.user:{user_id}",
        before={"token": f"{start}…"},
    )
