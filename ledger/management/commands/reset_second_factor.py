"""``manage.py reset_second_factor``: let in somebody who has lost his second factor."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ledger.actor import Actor
from ledger.models import User
from ledger.refusals import Refusal
from ledger.services.second_factor import reset


class Command(BaseCommand):
    help = "Take away a person's second factor; he signs in by password and sets up another one."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username", help="Whose; make sure that it is he who asks.")

    def handle(self, *args: Any, username: str, **options: Any) -> None:
        user = User.objects.filter(username=username).first()
        if user is None:
            raise CommandError(f"There is nobody called {username}.")
        try:
            reset(actor=Actor.system("reset_second_factor"), user_id=user.pk)
        except Refusal as refusal:
            raise CommandError(refusal.detail) from refusal
        self.stdout.write(f"{username} has no second factor any more.")
