"""What a delivered value must be, once: every reader takes limits and words from here.

As the contracts with the source have it: what they refuse would stop every plan later. A test
holds the two together.
"""

from __future__ import annotations

SMALLEST_ID = 1
LARGEST_INTEGER = 2**63 - 1
STARS = tuple(half / 2 for half in range(1, 11))
FIRST_SECOND = 788_918_400  # 1995-01-01 00:00:00 UTC
MOST_CHARACTERS = {"title": 1024, "tag": 10_000}

# The kinds of reasons that several readers give: '<kind>: <detail>'.
UNREADABLE_NUMBER = "unreadable number"
NUMBER_OUTSIDE = "number out of range"
RATING_OUTSIDE = f"rating outside {STARS[0]} to {STARS[-1]}"
RATING_BETWEEN_STEPS = "rating is not a half-star"
TIME_OUTSIDE = "timestamp outside 1995 to now"
EMPTY_GENRE = "empty genre"
NUL_BYTE = "bytes that are not UTF-8 text: a NUL byte"

# A line or a row of the same key counts by being newer. Those that do not are kept as well.
NOT_NEWEST = "not the newest"
REPLACED = "replaced"
