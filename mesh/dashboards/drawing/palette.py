"""Colours of values and labels: what the dashboard says, else always the same spare one.

With twenty values colour alone cannot do: slices carry labels, have gaps between them, and stand in
a legend in the same order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256

OTHERS = "#A9B1BD"
_SPARE = ("#4C9F70", "#A9583E", "#7C9BBB", "#B583AF", "#8C8A3E", "#C27BA0", "#4F8FA8", "#9A6B3F")


def colour(name: str, stated: Mapping[str, str]) -> str:
    """The colour of a label; stated: those that the dashboard gives."""
    if name in stated:
        return stated[name]
    return _SPARE[sha256(name.encode()).digest()[0] % len(_SPARE)]


def colours(names: Sequence[str], stated: Mapping[str, str]) -> list[str]:
    """The colours of lines or slices in one picture: where two would have the same, one that the
    dashboard does not state gets another. Of more than there are colours none are side by side.
    """
    taken = {stated[name] for name in names if name in stated}
    found: list[str] = []
    for name in names:
        wanted = colour(name, stated)
        if name not in stated and wanted in taken:
            beside = {*found[:1], *found[-1:]}
            free = [spare for spare in _SPARE if spare not in taken]
            apart = [spare for spare in _SPARE if spare not in beside]
            wanted = (free or [one for one in (wanted, *apart) if one not in beside])[0]
        taken.add(wanted)
        found.append(wanted)
    return found


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
