"""EXISTS for lists that are read in an index's order and no further than a page.

PostgreSQL makes a join of EXISTS, or reads the whole other table into a hash, when it expects to ask often. It
is wrong where nearly every row has a match but the few that wait have none: then it takes the page for nearly
empty, and reads everything to find the little that it expects.
"""

from typing import Any

from django.db.models import BooleanField, QuerySet, Subquery, Value


class LooksUp(Subquery):
    """Whether ``rows`` has one for the outer row: looked up for each row alone, by an index of theirs."""

    template = "COALESCE((%(subquery)s), FALSE)"

    def __init__(self, rows: QuerySet[Any]) -> None:
        found = rows.order_by().values_list(Value(value=True, output_field=BooleanField()))[:1]
        super().__init__(found, output_field=BooleanField())
