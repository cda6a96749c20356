"""The admin of associations, their owners and properties, their periods and what is recorded in them."""

from periods.admin import associations, estate, meters, papers, periods, records

__all__ = ["associations", "estate", "meters", "papers", "periods", "records"]
