"""What of persons texts look like or hold, whatever their column is called.

The name of somebody looks like any other; an e-mail address looks like nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

# Wherever it stands in a text, as engines and Python read patterns.
_LIKE: Mapping[str, str] = {
    "e-mail addresses": r"[\w.+-]+@[\w-]+\.[A-Za-z]{2}",
    "IP addresses": (
        r"(?:^|[^\w.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)\.?(?:$|[^\w.])"
        r"|\b(?:[0-9A-Fa-f]{1,4}:){7}[0-9A-Fa-f]{1,4}\b|\b(?:[0-9A-Fa-f]{1,4}:){2,6}:[0-9A-Fa-f]"
    ),
    # A mistyped one is that of an account, too.
    "numbers of accounts (IBAN)": (
        r"\b(?:A[DELT]|B[EG]|C[HYZ]|D[EK]|E[ES]|F[IR]|G[BR]|H[RU]|I[ELST]|L[ITUV]|M[CT]|N[LO]|P[LT]|RO"
        r"|S[AEIKM]|TR)\d\d ?(?:[A-Z]{4} ?|[A-Z])?\d(?: ?\d){9,25}(?: ?[A-Z0-9]){0,13}\b"
    ),
    "numbers of cards": (
        r"\b(?:4\d{3}|5[1-5]\d\d|6011|65\d\d)(?:[ -]?\d{4}){3}\b|\b3[47]\d\d[ -]?\d{6}[ -]?\d{5}\b"
    ),
    "numbers of social security": r"\b\d{3}-\d\d-\d{4}\b",
    "numbers of telephones": (
        r"(?:^|[^\w.+-])\+\d(?:[ ()/-]{0,2}\d){7,14}|\(\d{3}\) ?\d{3}[ -]\d{4}\b"
        r"|\b\d{3}[-. ]\d{3}[-. ]\d{4}\b|\b0\d{2,4}[ /]\d(?:[ -]?\d){4,8}\b"
    ),
}
LIKE_PERSONS = "|".join(_LIKE.values())
"""The pattern of a text in which such a thing may stand; `looks_like` tells which."""


def looks_like(texts: Iterable[str]) -> str:
    """What of persons texts look like or hold, as the end of a sentence; empty for nothing."""
    every = [*texts]
    for what, pattern in _LIKE.items():
        found = [one[0] for text in every for one in re.finditer(pattern, text, re.ASCII)]
        # One in ten of any numbers of as many digits would be one of a card.
        if found and (what != "numbers of cards" or all(map(_is_checked, found))):
            return what
    return ""


def _is_checked(card: str) -> bool:
    """Whether the last digit of a card's number is that which the others ask for (Luhn)."""
    digits = [int(one) for one in card if one.isdigit()][::-1]
    return (sum(digits[::2]) + sum(sum(divmod(2 * one, 10)) for one in digits[1::2])) % 10 == 0
