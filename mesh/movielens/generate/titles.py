"""Invented titles as awkward as real ones: the way a person typed them over twenty-five years."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mesh.movielens.generate.words import ADJECTIVES, CODAS, FOREIGN, MIDDLES, NOUNS, ONSETS

_ROMAN = ("II", "III", "IV", "2", "3")


def invented_names(rng: np.random.Generator, count: int) -> list[str]:
    """Names of places and people that sound like names and belong to nobody."""
    onset, middle, coda = (rng.integers(0, len(part), count) for part in (ONSETS, MIDDLES, CODAS))
    return [
        (ONSETS[a] + MIDDLES[b] + CODAS[c]).capitalize()
        for a, b, c in zip(onset.tolist(), middle.tolist(), coda.tolist(), strict=True)
    ]


def _base(pattern: int, adjective: str, noun: str, name: str, other: str) -> str:
    match pattern:
        case 0:
            return f"{noun} of {name}, The"
        case 1:
            return f"{adjective} {noun} of {name}, The"
        case 2:
            return f"{name}"
        case 3:
            return f"{name}'s {noun}"
        case 4:
            return f"{adjective} {name}"
        case 5:
            return f"{name} and the {adjective} {noun}"
        case 6:
            return f"{name}: The {noun}"
        case 7:
            return f"{noun} in {name}, A"
        case 8:
            return f"{name} & {other}"
        case 9:
            return f"{name}, My {noun}"
        case 10:
            return f"Mr. {name} Meets the {noun}"
        case _:
            return f"{adjective} {noun} at {name}"


def _decorated(kind: float, title: str, name: str, number: int) -> str:
    if kind < 0.035:
        return f"{title} ({FOREIGN[number % len(FOREIGN)].format(name)})"
    if kind < 0.045:
        return f"{title} (a.k.a. {name} Returns)"
    if kind < 0.055:
        return FOREIGN[number % len(FOREIGN)].format(name)
    if kind < 0.085 and "," not in title:
        return f"{title} {_ROMAN[number % len(_ROMAN)]}"
    if kind < 0.088:
        return f'{title} "{name}"'
    if kind < 0.089:
        return f'"{name}"\'s {1 + number % 12}\'09"01'
    if kind < 0.092:
        return f"{1000 + number % 1100} {name}"
    if kind < 0.094:
        return f"{title}…"
    return title


def _with_year(kind: float, title: str, year: int, number: int) -> str:
    if kind < 0.0016:
        return title
    if kind < 0.0030:
        return f"{title} ({year}) "
    if kind < 0.0038:
        return f"{title} ({year}–{year + 1 + number % 4})"
    if kind < 0.0041:
        return f"{title} ({year}-)"
    if kind < 0.0049:
        return f"{title} ({year - 1 - number % 30}) ({year})"
    if kind < 0.0055:
        return f"{title} ({year + 13} A.D.) ({year})"
    if kind < 0.0058:
        return f"{title} ({year}) (Director's Cut)"
    if kind < 0.0060:
        return f"{title} ({year}"
    return f"{title} ({year})"


def make_titles(rng: np.random.Generator, years: np.ndarray) -> list[str]:
    """One title per movie, with its year the way MovieLens writes it.

    years: int64, shape (movies,), the year of release of each movie.

    The first movies of every catalogue go through each awkward form once, so that the smallest
    data set has them all. About one movie in six hundred repeats the title of an earlier one.
    """
    count = len(years)
    names = invented_names(rng, count)
    others = invented_names(rng, count)
    patterns = rng.integers(0, 12, count).tolist()
    adjectives = rng.integers(0, len(ADJECTIVES), count).tolist()
    nouns = rng.integers(0, len(NOUNS), count).tolist()
    numbers = rng.integers(0, 10_000, count).tolist()
    decoration = rng.random(count)
    year_form = rng.random(count)
    _show_every_form(decoration, year_form)

    titles: list[str] = []
    seen: set[str] = set()
    rows = zip(years.tolist(), decoration.tolist(), year_form.tolist(), strict=True)
    for i, (year, kind, form) in enumerate(rows):
        base = _base(patterns[i], ADJECTIVES[adjectives[i]], NOUNS[nouns[i]], names[i], others[i])
        title = _with_year(form, _decorated(kind, base, others[i], numbers[i]), year, numbers[i])
        while title in seen:
            title = f"{others[i]} {title}"
        seen.add(title)
        titles.append(title)
    _repeat_some(rng, titles)
    return titles


def _show_every_form(decoration: np.ndarray, year_form: np.ndarray) -> None:
    forms = (0.0, 0.002, 0.0035, 0.004, 0.0045, 0.0052, 0.0057, 0.0059)
    kinds = (0.01, 0.04, 0.05, 0.06, 0.0865, 0.0885, 0.09, 0.093)
    size = len(year_form)
    for places, values, start in ((year_form, forms, 20), (decoration, kinds, 40)):
        for i, value in enumerate(values):
            if start + i < size:
                places[start + i] = value


def _repeat_some(rng: np.random.Generator, titles: list[str]) -> Sequence[str]:
    count = len(titles)
    for place in rng.integers(count // 2, count, 1 + count // 1_500).tolist():
        titles[place] = titles[int(rng.integers(60, max(61, count // 2)))]
    return titles
