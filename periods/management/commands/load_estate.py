"""``manage.py load_estate``: an association with a year of periods, into a loaded demo."""

from typing import Any

from django.core.management.base import BaseCommand

from ledger.models import Company, User
from periods.demo.estate import load_estate
from treasury.demo.cast import FREIGHT


class Command(BaseCommand):
    help = "Give the demo's first company an owners' association, unless it has one."

    def handle(self, *_: Any, **__: Any) -> None:
        company = Company.objects.get(code=FREIGHT.code)
        names = [person.username for person in FREIGHT.people]
        people = {user.username: user for user in User.objects.filter(username__in=names)}
        loaded = load_estate(company, people)
        self.stdout.write(f"{loaded} is there." if loaded else "The association was there already.")
