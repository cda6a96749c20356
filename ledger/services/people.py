"""What a person decides about himself."""

from uuid import UUID

from ledger import audit
from ledger.actor import Actor
from ledger.commands import command
from ledger.models import User
from ledger.refusals import Conflict, InvalidInput, NotFound, RoleRequired


class NoPhone(Conflict):
    """There is no phone to send codes to; an administrator writes one down."""

    code = "no_phone"
    title = "No phone"


@command("user.choose_channel")
def choose_channel(*, actor: Actor, user_id: UUID, channel: str) -> User:
    """Let codes reach the person by ``channel`` (email, sms) from now on; by himself.

    Raises ``RoleRequired`` for anybody else, ``InvalidInput`` on ``code_channel``, ``NoPhone``.
    """
    if actor.user_id != user_id:
        raise RoleRequired("Everybody chooses for himself.")
    if channel not in User.Channel.values:
        raise InvalidInput.on("code_channel", "This is either email or sms.")
    user = User.objects.filter(pk=user_id).first()
    if user is None:
        raise NotFound("There is no such person.")
    if channel == User.Channel.SMS and not user.phone:
        raise NoPhone("An administrator has to write down your phone first.")
    before, user.code_channel = user.code_channel, channel
    user.save(update_fields=["code_channel"])
    audit.record(
        actor=actor,
        action="user.choose_channel",
        subject=f"ledger.user:{user_id}",
        before={"code_channel": before},
        after={"code_channel": channel},
    )
    return user
