"""Every kind of thing that waits, in the order of the page's tabs."""

from treasury.worklist.findings import LATE, RETURN, REVIEW
from treasury.worklist.items import Kind
from treasury.worklist.requests import BATCH, REPLENISHMENT, REQUISITION, VARIANCE

KINDS: dict[str, Kind] = {
    kind.name: kind for kind in (REQUISITION, VARIANCE, REPLENISHMENT, REVIEW, BATCH, LATE, RETURN)
}
