"""Texts of others as they can be printed: no sign in them steers a terminal or what reads a log."""

from __future__ import annotations

import re

# Controls, what turns the direction of writing or is not seen, ends of lines of Unicode's own, and
# halves of characters. What joins letters and emoji stays; so do the tabs and ends of lines that
# the program itself prints.
_STEERS = re.compile(
    r"[\0-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f"
    r"\ud800-\udfff\ufeff\ufff9-\ufffb\U000e0001]"
)
_NEVER_MEANT = re.compile(
    r"[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
_STEERS_A_LINE = re.compile(rf"[\t\n]|{_STEERS.pattern}")
# Who runs a command in CI obeys lines that begin with `::`, and `##[…]` wherever it stands.
_ORDER = re.compile(r"^([^\S\n]*):(?=:)", re.MULTILINE)
_OLD_ORDER = re.compile(r"##(?=\w*\[)")


# How a cell begins that spreadsheets take for a formula, also in wide forms and after what is not
# seen; where they separate lists by semicolons, a cell begins behind each. Python and RE2 read it.
_UNSEEN = r"\s\x00-\x1f\x7f-\xa0\xad" "\u180e\u200b-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff"
FORMULA = rf"(^|[;\t])([{_UNSEEN}]*[-=+@＝＋－＠])|(^)([\t\r\n])"
NO_FORMULA = r"\1\3'\2\4"
_FORMULA = re.compile(FORMULA)


def as_cell(text: str) -> str:
    """A text for a CSV file: what a spreadsheet would run stands behind an apostrophe."""
    return _FORMULA.sub(NO_FORMULA, text)


def harmless(text: str, *, begins: bool = True) -> str:
    """A text in which what would steer a terminal or the reader of a log is seen instead.

    begins: whether it is printed at the beginning of a line.
    """
    made = text if text.isprintable() else _STEERS.sub(_sign, text)
    if "##" in made:
        made = _OLD_ORDER.sub("# #", made)
    if "::" not in made:
        return made
    line, end, more = ("", "", made) if begins else made.partition("\n")
    return line + end + _ORDER.sub(r"\1: ", more)


def steering(text: str) -> str | None:
    """The first sign of a text that steers what it is read in, as `U+001B`: never in vain there."""
    found = _NEVER_MEANT.search(text)
    return f"U+{ord(found[0]):04X}" if found else None


def one_line(text: object) -> str:
    """A name as it can stand in a sentence: the same, and it ends no line."""
    return harmless(_STEERS_A_LINE.sub(_sign, str(text)), begins=False)


def _sign(found: re.Match[str]) -> str:
    """One sign as wide as a letter: Unicode's picture of a control, if there is one."""
    code = ord(found[0])
    return chr(0x2400 + code) if code < 0x20 else "␡" if code == 0x7F else "�"
