"""What date it is, asked of whoever called: the domain never reads a calendar by itself."""

from collections.abc import Callable
from datetime import date

from ledger.models import Company

# Says what date it is at a company; entrances pass ``ledger.clock.today``.
Today = Callable[[Company], date]
