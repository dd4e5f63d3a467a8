"""What BigQuery limits, and no SQL analyzer knows of: functions, storage, nesting, lengths.

Each limit is one function that yields what is wrong in words; the sentence says what to do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from sqlglot.dialects.bigquery import BigQuery
from sqlglot.tokens import TokenType

from mesh.prove.dialect import FUNCTIONS_NOT_IN_BIGQUERY, WINDOW_ONLY_FUNCTIONS
from mesh.prove.place import Word, word_at
from mesh.prove.storing import storing_limits

if TYPE_CHECKING:
    from sqlmesh import Model

    from mesh.prove.project import BigQueryProject

DEEPEST_VIEWS = 16
LONGEST_DESCRIPTION = 1_024
_LABEL_KEY = re.compile(r"[a-z][a-z0-9_-]{0,62}")
_LABEL_VALUE = re.compile(r"[a-z0-9_-]{0,63}")


def function_limits(sql: str) -> Iterator[tuple[str, Word]]:
    """Functions of GoogleSQL that BigQuery does not have, or has with OVER alone."""
    tokens = BigQuery().tokenize(sql)
    for index, token in enumerate(tokens[:-1]):
        name = token.text.upper()
        if tokens[index + 1].token_type is not TokenType.L_PAREN:
            continue
        word = word_at(sql, token)
        if name in FUNCTIONS_NOT_IN_BIGQUERY:
            yield f"BigQuery has no function {name}: write it with others.", word
        elif name in WINDOW_ONLY_FUNCTIONS and not _has_over(tokens, index + 1):
            yield (
                f"{name} exists in BigQuery as a window function alone: give it an OVER (…), "
                "or take APPROX_QUANTILES.",
                word,
            )


def _has_over(tokens: list, opening: int) -> bool:
    depth = 0
    for index in range(opening, len(tokens)):
        depth += {"(": 1, ")": -1}.get(tokens[index].text, 0)
        if depth == 0:
            return index + 1 < len(tokens) and tokens[index + 1].text.upper() == "OVER"
    return False


def model_limits(project: BigQueryProject, name: str, columns: Mapping[str, str]) -> Iterator[str]:
    """What is beyond a limit of BigQuery in a model's header. columns: the model's types."""
    model = project.models[name]
    yield from _descriptions(model)
    yield from storing_limits(model, project.partition(name), columns)
    yield from _labels(model)
    depth = view_depth(project, name)
    if depth > DEEPEST_VIEWS:
        yield (
            f"views are nested {depth} deep here, and BigQuery allows {DEEPEST_VIEWS}: make one "
            "of the models below a table (kind FULL)."
        )


def view_depth(project: BigQueryProject, name: str) -> int:
    """How many views lie on each other when the model is read in an environment.

    The view of the environment counts, and the physical view of every view model below it.
    """
    deepest: dict[str, int] = {}
    for model_name, model in project.models.items():
        below = max((deepest.get(parent, 0) for parent in project.parents(model_name)), default=0)
        is_view = model.kind.is_view and not model.kind.is_materialized
        deepest[model_name] = below + 1 if is_view else 0
    return deepest[name] + 1


def _descriptions(model: Model) -> Iterator[str]:
    texts = {"the description": model.description or ""}
    texts |= {
        f"the description of column {column}": text
        for column, text in model.column_descriptions.items()
    }
    for what, text in texts.items():
        if len(text) > LONGEST_DESCRIPTION:
            yield (
                f"{what} has {len(text):,} characters, and BigQuery keeps {LONGEST_DESCRIPTION:,}: "
                "shorten it."
            )


def _labels(model: Model) -> Iterator[str]:
    for properties in (model.physical_properties, model.virtual_properties):
        labels = properties.get("labels")
        for pair in getattr(labels, "expressions", []):
            key, value = (part.name for part in pair.expressions)
            if not _LABEL_KEY.fullmatch(key) or not _LABEL_VALUE.fullmatch(value):
                yield (
                    f"the label {key}={value} is none for BigQuery: small letters, digits, - and "
                    "_, at most 63 of them."
                )
