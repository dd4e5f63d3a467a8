"""Invented titles as awkward as real ones: the way a person typed them over twenty-five years."""

from __future__ import annotations

import numpy as np

from mesh.movielens.generate.words import ADJECTIVES, CODAS, FOREIGN, MIDDLES, NOUNS, ONSETS

_ROMAN = ("II", "III", "IV", "2", "3")
_BASES = (
    "{noun} of {name}, The",
    "{adjective} {noun} of {name}, The",
    "{name}",
    "{name}'s {noun}",
    "{adjective} {name}",
    "{name} and the {adjective} {noun}",
    "{name}: The {noun}",
    "{noun} in {name}, A",
    "{name} & {other}",
    "{name}, My {noun}",
    "Mr. {name} Meets the {noun}",
    "{adjective} {noun} at {name}",
)
# The form that a title has up to each chance; `title` is the one without.
_DECORATIONS = (
    (0.035, "{title} ({foreign})"),
    (0.045, "{title} (a.k.a. {other} Returns)"),
    (0.055, "{foreign}"),
    (0.085, "{title} {roman}"),
    (0.088, '{title} "{other}"'),
    (0.089, '"{other}"\'s {month}\'09"01'),
    (0.092, "{count} {other}"),
    (0.094, "{title}…"),
    (1.0, "{title}"),
)
_YEARS = (
    (0.0016, "{title}"),
    (0.0030, "{title} ({year}) "),
    (0.0038, "{title} ({year}–{until})"),
    (0.0041, "{title} ({year}-)"),
    (0.0049, "{title} ({earlier}) ({year})"),
    (0.0055, "{title} ({told} A.D.) ({year})"),
    (0.0058, "{title} ({year}) (Director's Cut)"),
    (0.0060, "{title} ({year}"),
    (1.0, "{title} ({year})"),
)


def invented_names(rng: np.random.Generator, count: int) -> list[str]:
    """Names of places and people that sound like names and belong to nobody."""
    onset, middle, coda = (rng.integers(0, len(part), count) for part in (ONSETS, MIDDLES, CODAS))
    return [
        (ONSETS[a] + MIDDLES[b] + CODAS[c]).capitalize()
        for a, b, c in zip(onset.tolist(), middle.tolist(), coda.tolist(), strict=True)
    ]


def _form(forms: tuple[tuple[float, str], ...], chance: float, *, comma: bool = False) -> str:
    """The form of the first bound above the chance; behind a comma there is no number."""
    return next(
        form for bound, form in forms if chance < bound and not (comma and "{roman}" in form)
    )


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
        number, other = numbers[i], others[i]
        title = _BASES[patterns[i]].format(
            adjective=ADJECTIVES[adjectives[i]], noun=NOUNS[nouns[i]], name=names[i], other=other
        )
        title = _form(_DECORATIONS, kind, comma="," in title).format(
            title=title,
            other=other,
            foreign=FOREIGN[number % len(FOREIGN)].format(other),
            roman=_ROMAN[number % len(_ROMAN)],
            month=1 + number % 12,
            count=1000 + number % 1100,
        )
        title = _form(_YEARS, form).format(
            title=title,
            year=year,
            until=year + 1 + number % 4,
            earlier=year - 1 - number % 30,
            told=year + 13,
        )
        while title in seen:
            title = f"{other} {title}"
        seen.add(title)
        titles.append(title)
    for place in rng.integers(count // 2, count, 1 + count // 1_500).tolist():
        titles[place] = titles[int(rng.integers(60, max(61, count // 2)))]
    return titles


def _show_every_form(decoration: np.ndarray, year_form: np.ndarray) -> None:
    forms = (0.0, 0.002, 0.0035, 0.004, 0.0045, 0.0052, 0.0057, 0.0059)
    kinds = (0.01, 0.04, 0.05, 0.06, 0.0865, 0.0885, 0.09, 0.093)
    size = len(year_form)
    for places, values, start in ((year_form, forms, 20), (decoration, kinds, 40)):
        for i, value in enumerate(values):
            if start + i < size:
                places[start + i] = value
