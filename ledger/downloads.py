"""Handing out a file that was made for one answer."""

from typing import IO

from django.http import FileResponse

from ledger.exports import CONTENT_TYPES, Export


def file_answer(file: IO[bytes], export: Export, wanted: str) -> FileResponse:
    """Return the answer that streams an export from where it was written, and closes it."""
    answer = FileResponse(
        file,
        as_attachment=True,
        filename=f"{export.name}.{wanted}",
        content_type=CONTENT_TYPES[wanted],
    )
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Cache-Control"] = "no-store"
    return answer
