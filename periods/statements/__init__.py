"""An owner's statement of a period: what it opens with, all that was recorded, and his share of every cost.

It shows by which weight of which whole each cost was shared, so that he can recompute it by hand. Typeset by
typst from a fixed source; what people wrote comes beside it as data and cannot run. The same facts give the
same bytes.
"""

import json
from pathlib import Path
from typing import Any

import typst

SOURCE = Path(__file__).with_name("statement.typ").read_bytes()


def typeset(facts: dict[str, Any]) -> bytes:
    """Return the statement that shows these facts as PDF."""
    data = json.dumps(facts, ensure_ascii=False)
    return typst.compile(SOURCE, sys_inputs={"data": data}, ignore_system_fonts=True)
