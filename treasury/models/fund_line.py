"""The fund's view of the books."""

from ledger.models import LedgerEntry


class FundLine(LedgerEntry):
    """A ledger entry on a fund's account, seen from the fund; the same row, no second table."""

    class Meta:
        proxy = True
        verbose_name = "fund ledger line"
        ordering = ("-posted_at", "-id")
