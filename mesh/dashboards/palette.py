"""One palette for all charts: a genre, or a group of users, keeps its colour everywhere.

The genres that most people rate have the colours that are easiest to tell apart, also for people
who do not see red and green. With twenty genres colour alone cannot do: slices carry labels, have
gaps between them, and stand in a legend in the same order.
"""

from __future__ import annotations

from hashlib import sha256

OTHERS = "#A9B1BD"
COLOURS = {
    "Drama": "#3B6FB6",
    "Comedy": "#F2A33A",
    "Thriller": "#7A4FA3",
    "Action": "#C63C4F",
    "Adventure": "#2A9D8F",
    "Romance": "#F28CAB",
    "Sci-Fi": "#62B8E8",
    "Crime": "#7B5236",
    "Fantasy": "#9BC53D",
    "War": "#7D8B3A",
    "Mystery": "#33518E",
    "IMAX": "#007C91",
    "Animation": "#FFD166",
    "Children": "#8FD3C8",
    "Horror": "#8F2F52",
    "Musical": "#C58AF0",
    "Documentary": "#B08763",
    "Western": "#BC5220",
    "Film-Noir": "#6A7280",
    "Raters": "#3B6FB6",
    "Raters only": "#3B6FB6",
    "Ratings": "#3B6FB6",
    "Taggers": "#E08E2B",
    "All taggers": "#E08E2B",
    "Taggers only": "#F2C078",
    "Tags": "#E08E2B",
    "Raters and taggers": "#7A4FA3",
    "Sleepers": "#6FA8A0",
    "All other users": "#C9D0D9",
    "Share of all users": "#8FB4E3",
    "Share of all actions": "#2F5C9C",
}
_SPARE = ("#4C9F70", "#A9583E", "#7C9BBB", "#B583AF", "#8C8A3E", "#C27BA0", "#4F8FA8", "#9A6B3F")


def colour(name: str) -> str:
    """The colour of a label; one that is not in the palette always gets the same spare one."""
    if name in COLOURS:
        return COLOURS[name]
    return _SPARE[sha256(name.encode()).digest()[0] % len(_SPARE)]


def ink_on(background: str) -> str:
    """Black or white, whichever is easier to read on a colour."""
    dark, light = "#14181F", "#FFFFFF"
    return max((dark, light), key=lambda ink: contrast(ink, background))


def contrast(one: str, other: str) -> float:
    """The contrast of two colours as the web's guidelines count it: 1 is none, 4.5 can be read."""
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def _luminance(colour_code: str) -> float:
    def linear(part: str) -> float:
        value = int(part, 16) / 255
        return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4

    red, green, blue = (linear(colour_code[i : i + 2]) for i in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
