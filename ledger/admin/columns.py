"""Columns of lists: badges, amounts and instants, drawn like the cells of pages."""

from collections.abc import Callable, Mapping
from typing import Any

from django.template.loader import render_to_string

from ledger.admin import cells
from ledger.admin.cells import Badge, Cell, Tone

Column = Callable[..., Any]


def drawn(cell: Cell) -> str:
    """A cell as HTML, by the template that also draws it on pages."""
    return render_to_string("admin/bursar/cell.html", {"cell": cell})


def column(
    show: Callable[[Any], Cell], *, title: str, order: str | None = None, name: str
) -> Column:
    """A list column that shows ``show(row)``; ``order`` is the field it sorts by."""

    def draw(*given: Any) -> str:
        # Called with the row, or as a method of the admin class with both.
        return drawn(show(given[-1]))

    draw.__name__ = name
    draw.short_description = title  # type: ignore[attr-defined]
    if order:
        draw.admin_order_field = order  # type: ignore[attr-defined]
    return draw


def badge_column(field: str, tones: Mapping[str, Tone], *, title: str = "") -> Column:
    """A field with choices as a badge."""

    def show(row: Any) -> Cell:
        return Badge(
            str(getattr(row, f"get_{field}_display")()), tones.get(getattr(row, field), "quiet")
        )

    return column(show, title=title or field.replace("_", " "), order=field, name=field)


def amount_column(
    field: str,
    *,
    title: str = "",
    order: str | None = "",
    currency: Callable[[Any], str] = lambda row: row.currency,
) -> Column:
    """An amount with its currency, right-aligned."""

    def show(row: Any) -> Cell:
        return cells.amount(getattr(row, field), currency(row))

    order = field if order == "" else order
    return column(show, title=title or field.replace("_", " "), order=order, name=f"{field}_figure")


def instant_column(
    field: str,
    *,
    title: str = "",
    company: Callable[[Any], Any] = lambda row: row.company,
    order: str = "",
) -> Column:
    """An instant in the zone of the row's company."""

    def show(row: Any) -> Cell:
        at = getattr(row, field)
        return cells.instant(at, company(row)) if at else cells.NOTHING

    return column(
        show, title=title or field.replace("_", " "), order=order or field, name=f"{field}_shown"
    )
