"""What contracts/review.yaml says of tests and guards; levels.py reads the rest of the file."""

from __future__ import annotations

from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

FILE_NAME = "review.yaml"
PATH = f"contracts/{FILE_NAME}"


class BaseTests(BaseModel):
    """Tests that SQLMesh does not run: those of the base are run on what a change makes."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
    name: str = Field(description="What is tested, for messages.")
    paths: list[str] = Field(
        description="Files, and folders with a slash at the end, whose change has them run."
    )
    tests: list[str] = Field(description="Files and folders that are taken from the base.")
    command: list[str] = Field(
        min_length=1,
        description="Run in a copy of the project; `python` is the Python of `mesh`.",
    )


class Guards(BaseModel):
    """What a review looks at besides contracts, models and charts."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
    base_tests: list[BaseTests] = Field(
        default=[], description="Tests of the base that a change has to hold."
    )
    guards: list[str] = Field(
        default=[],
        description="Files, and folders with a slash at the end, that decide what is checked: "
        "whatever is taken out of them is shown.",
    )


def read_guards(folder: Path) -> Guards:
    """What a folder of contracts says of tests and guards; nothing where it cannot be read."""
    try:
        data = yaml.safe_load((folder / FILE_NAME).read_text(encoding="utf-8"))
        return Guards(**{key: data[key] for key in Guards.model_fields if key in data})
    except (OSError, UnicodeDecodeError, yaml.YAMLError, TypeError, ValidationError):
        return Guards()
