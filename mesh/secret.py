"""What a configuration keeps secret, and that no message says it: SQLMesh and the engines quote
in their errors what they were given."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

HIDDEN = "***"
# Shorter ones would tear sentences apart, and keep nobody out.
_SHORTEST = 6
_KEY = re.compile(
    r"passw|passphrase|pwd|secret|token|credential|(?:^|_)key(?:$|_(?!id|file|path))", re.IGNORECASE
)
# Within one text, as `dbname=d password=…`, `md:x?motherduck_token=…` and `postgres://user:…@host`.
_WITHIN = re.compile(
    r"(?:passw\w*|pwd|secret\w*|token|key)\s*=\s*('[^']*'|[^\s&;']+)|://[^/\s:@]*:([^/\s@]+)@",
    re.IGNORECASE,
)
_OF_SQLMESH = "SQLMESH__"
_known: set[str] = set()


def keep(stated: Any) -> None:
    """Note what is secret in a configuration, and in the variables that SQLMesh puts over it."""
    overlaid = {name: value for name, value in os.environ.items() if name.startswith(_OF_SQLMESH)}
    for text in (*_secrets(stated), *_secrets(overlaid)):
        if len(text) >= _SHORTEST:
            _known.update((text, quote(text, safe="")))


def _secrets(stated: Any, *, is_secret: bool = False) -> Iterator[str]:
    if isinstance(stated, Mapping):
        for key, value in stated.items():
            yield from _secrets(value, is_secret=bool(_KEY.search(str(key))))
    elif isinstance(stated, list | tuple):
        for value in stated:
            yield from _secrets(value, is_secret=is_secret)
    elif is_secret and stated is not None and not isinstance(stated, bool):
        yield str(stated)
    elif isinstance(stated, str):
        for found in _WITHIN.findall(stated):
            yield from (part.strip("'") for part in found if part)


def hidden(text: str) -> str:
    """A text that somebody else wrote, without what is kept."""
    for one in sorted(_known, key=len, reverse=True):
        text = text.replace(one, HIDDEN)
    return text
