"""Where in its file a model says what Google refuses in the rendered statement.

Rendering renames, quotes and expands, but keeps the words in their order. So the words of the
statement are laid beside the words of the file, and the refused one is looked up.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher

from sqlglot.dialects.bigquery import BigQuery
from sqlglot.errors import SqlglotError
from sqlglot.tokens import Token

_WORD = re.compile(r"[\w.]+")


@dataclass(frozen=True)
class Word:
    """A word of a text, in small letters; line and offset in the line count from 1."""

    text: str
    line: int
    start: int


def words(text: str, first_line: int = 1) -> list[Word]:
    """The names, keywords and literals of SQL in their order; comments and signs left out."""
    try:
        tokens = BigQuery().tokenize(text)
    except SqlglotError:
        return []
    return [word_at(text, token, first_line) for token in tokens if _WORD.search(token.text)]


def word_at(text: str, token: Token, first_line: int = 1) -> Word:
    """A token of a text as a word."""
    line = text.count("\n", 0, token.start) + first_line
    return Word(token.text.lower(), line, token.start - text.rfind("\n", 0, token.start))


def line_in_file(source: str, sql: str, line: int | None, column: int | None) -> int:
    """The line of a model's file that stands behind a place in its rendered statement.

    Without a place, or if nothing fits, the first line of the query.
    """
    body_line, body = _query_of(source)
    if line is None or column is None:
        return body_line
    written, rendered = words(body, body_line), words(sql)
    if not written or not rendered:
        return body_line
    index = _index(rendered, line, column)
    matcher = SequenceMatcher(
        None, [word.text for word in rendered], [word.text for word in written], autojunk=False
    )
    before, after = 0, len(written)
    for block in matcher.get_matching_blocks():
        if block.a <= index < block.a + block.size:
            return written[block.b + index - block.a].line
        if block.a + block.size <= index and block.size:
            before = block.b + block.size - 1
        elif block.a > index:
            after = min(after, block.b)
    refused = rendered[index].text
    between = [word for word in written[before:after] if word.text == refused]
    return (between[0] if between else written[before]).line


def _index(rendered: list[Word], line: int, column: int) -> int:
    """The word at a place, or the next one after it."""
    for index, word in enumerate(rendered):
        if word.line > line or (word.line == line and word.start + len(word.text) > column):
            return index
    return len(rendered) - 1


def _query_of(source: str) -> tuple[int, str]:
    """First line and text of what follows the MODEL block."""
    match = re.match(r"(?s)\s*MODEL\s*\(.*?\n\)\s*;\s*(/\*.*?\*/\s*)?", source)
    if match is None:
        return 1, source
    return source.count("\n", 0, match.end()) + 1, source[match.end() :]
