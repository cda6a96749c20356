"""How the domain is told what date it is: never by reading a clock itself."""

from collections.abc import Callable
from datetime import date

from ledger.models import Company

# Says the civil date at a company; entrances pass ``ledger.clock.today``.
Today = Callable[[Company], date]
