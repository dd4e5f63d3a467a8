"""What a delivered value must be, once: every reader takes limits and words from here.

As the contracts with the source have it: what they refuse would stop every plan later. A test
holds the two together.
"""

from __future__ import annotations

SMALLEST_ID = 1
LARGEST_INTEGER = 2**63 - 1
STARS = tuple(half / 2 for half in range(1, 11))
FIRST_SECOND = 788_918_400  # 1995-01-01 00:00:00 UTC
LARGEST_SECOND = 10**11 - 1  # More digits are no seconds, and no engine's times.
MOST_CHARACTERS = {"title": 1024, "tag": 10_000}

# The kinds of reasons that several readers give: '<kind>: <detail>'.
UNREADABLE_NUMBER = "unreadable number"
UNREADABLE_TIME = "unreadable time"
NUMBER_OUTSIDE = "number out of range"
RATING_OUTSIDE = f"rating outside {STARS[0]} to {STARS[-1]}"
RATING_BETWEEN_STEPS = "rating is not a half-star"
TIME_OUTSIDE = "timestamp outside 1995 to now"
NUL_BYTE = "bytes that are not UTF-8 text: a NUL byte"

# A line or a row of the same key counts by being newer. Those that do not are kept as well.
NOT_NEWEST = "not the newest"
REPLACED = "replaced"

# What a column holds, said where something else stands.
EXPECTED = {
    "userId": "where a whole number is expected",
    "movieId": "where a whole number is expected",
    "rating": "where stars are expected, such as 3.5",
    "timestamp": "where seconds since 1970 are expected, or a time such as 2018-09-24 14:27:30",
}

# What nobody sees at the ends of a text: blanks, control and format characters of all scripts; as
# Unicode's kinds, and as a class of RE2.
BLANK_KINDS = ("Cc", "Cf", "Zs", "Zl", "Zp")
BLANK = r"[\p{Cc}\p{Cf}\p{Z}]"
# Of these, what becomes a blank also inside a title: it would break the lines of whoever shows it.
BREAK = r"[\p{Cc}\p{Zl}\p{Zp}]"
# The release year at the end of a title, as the models read it.
YEAR = r"[(](?:1[89]|20)[0-9]{2}(?: ?[-–—] ?[0-9]{0,4})?[)]$"
