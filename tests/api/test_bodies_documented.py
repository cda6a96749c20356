"""What docs/api.md says that each body consists of is what the OpenAPI document says."""

import re
from typing import Any

from drf_spectacular.generators import SchemaGenerator

from config.embedded.home import ROOT

ROW = re.compile(r"^\| `((?:POST|PATCH) /\S+)` \| `([^`]*)` \|$", re.MULTILINE)


def bodies(document: dict[str, Any]) -> dict[str, list[str]]:
    """The fields of each operation's body, those that may be left out with a question mark."""
    found = {}
    for path, verbs in document["paths"].items():
        for verb, operation in verbs.items():
            for content in operation.get("requestBody", {}).get("content", {}).values():
                found[f"{verb.upper()} {_short(path)}"] = _fields(document, content["schema"])
    return {address: fields for address, fields in found.items() if fields}


def _short(path: str) -> str:
    """As the page writes it: every id is ``{id}``."""
    return re.sub(r"\{[a-z_]+\}", "{id}", path)


def _fields(document: dict[str, Any], schema: dict[str, Any]) -> list[str]:
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    required = schema.get("required", [])
    names: dict[str, Any] = schema.get("properties", {})
    return [name if name in required else f"{name}?" for name in names]


def test_every_body_is_documented_with_all_its_fields() -> None:
    generator: Any = SchemaGenerator
    told = bodies(generator().get_schema(request=None, public=True))
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    _, _, section = page.partition("\n## Bodies\n")
    written = {address: fields.split(", ") for address, fields in ROW.findall(section)}
    assert written == told
