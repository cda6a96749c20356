"""Lists of rows."""

from django.http import HttpRequest
from unfold.views import ChangeList


class List(ChangeList):
    """A list that speaks of "all" rows only where some are left out."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        if not (self.query or self.has_active_filters):
            self.full_result_count = self.result_count
