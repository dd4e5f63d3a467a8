"""JSON schemas of files, from the models that read them, for editors to complete and check by."""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel

from mesh.files.problems import FileKind

COMMENT = "# yaml-language-server: $schema="


def schema_text(model: type[BaseModel], kind: FileKind) -> str:
    """The JSON schema of a kind of file, as the text of a file."""
    made = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **_joined(model.model_json_schema()),
        "title": f"A {kind.name}; written by `mesh schema`",
    }
    return json.dumps(made, indent=2, ensure_ascii=False) + "\n"


def _joined(node: Any) -> Any:
    """The schema with descriptions in one line, as they were meant."""
    if isinstance(node, dict):
        return {
            key: " ".join(value.split())
            if key == "description" and isinstance(value, str)
            else _joined(value)
            for key, value in node.items()
        }
    return [_joined(item) for item in node] if isinstance(node, list) else node


def with_comment(text: str, schema: str) -> str:
    """A YAML file that names its schema, by its path from the file, in the first line."""
    first, _, rest = text.partition("\n")
    return f"{COMMENT}{schema}\n{rest if first.startswith(COMMENT) else text}"
