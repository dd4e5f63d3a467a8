"""What data products must hold, worked out in plain Python from the source alone.

Written from what the products promise and not from the models, so that tests compare them with
more than another build of the same SQL.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from statistics import median

from audience import Audience

Products = dict[str, list[tuple]]
NO_GENRES = "(no genres listed)"


@dataclass(frozen=True)
class Rules:
    """What versions of the models do differently.

    lowest_rating: what is lower counts as this for a movie.
    """

    lowest_rating: float = 0.5
    rater_above: int = 100
    tagger_above: int = 7
    smallest_group: int = 5


def in_python(audience: Audience, rules: Rules) -> Products:
    """Eleven of the products, by name; rows are sorted as text."""
    ratings = [
        (user, movie, rating, _moment(at))
        for (user, movie), (rating, at) in audience.ratings.items()
    ]
    tags = [(user, movie, tag, _moment(at)) for (user, movie, tag), at in audience.tags.items()]
    counted = [(*row[:2], max(row[2], rules.lowest_rating), row[3]) for row in ratings]
    actions = _actions(ratings, tags)
    genres = _by_month(
        (user, genre, at, rating)
        for user, movie, rating, at in ratings
        for genre in _genres(audience, movie)
    )
    decades = _by_month(
        (user, decade, at, rating)
        for user, movie, rating, at in ratings
        if (decade := _decade(audience.movies[movie][0]))
    )
    found: dict[str, Iterable[tuple]] = {
        "interactions.user_movie_ratings": ratings,
        "interactions.movie_catalogue": _catalogue(audience),
        "interactions.movies_engagement": _movies(audience, counted, tags),
        "interactions.movies_engagement_daily": _daily(counted),
        "interactions.user_genre_ratings": _with_high_counts(audience, ratings, genres),
        "interactions.user_period_ratings": decades,
        "interactions.user_actions": actions,
        "interactions.user_tags": [
            (*row, audience.ratings.get(row[:2], (None,))[0]) for row in tags
        ],
        "engagement.user_genre_preferences": [
            (*row, _taste(row[6]), _taste(row[4])) for row in genres
        ],
        "engagement.user_period_preferences": [
            (*row, _taste(row[6]), _taste(row[4])) for row in decades
        ],
        "engagement.user_actions_and_groups": _with_groups(actions, rules),
        "engagement.audience_actions": _shares(ratings, tags, rules),
    }
    return {name: sorted(rows, key=repr) for name, rows in found.items()}


def _moment(at: int) -> datetime:
    return datetime.fromtimestamp(at, UTC)


def _month(at: datetime) -> date:
    return at.date().replace(day=1)


def _genres(audience: Audience, movie: int) -> set[str]:
    return set(audience.movies[movie][1].split("|")) - {NO_GENRES}


def _year(title: str) -> int | None:
    found = re.search(r"\((\d{4})\)$", title)
    return int(found.group(1)) if found else None


def _decade(title: str) -> str | None:
    year = _year(title)
    return None if year is None else f"{year // 10 * 10 % 100 if year < 2000 else year // 10 * 10}s"


def _by_month(rows: Iterable[tuple]) -> list[tuple]:
    """Counts and medians by user and group, in a month and over all time."""
    months, whole = defaultdict(list), defaultdict(list)
    for user, group, at, rating in rows:
        months[user, group, _month(at)].append(rating)
        whole[user, group].append(rating)
    return [
        (
            *key,
            len(some),
            float(median(some)),
            len(whole[key[:2]]),
            float(median(whole[key[:2]])),
        )
        for key, some in months.items()
    ]


def _with_high_counts(audience: Audience, ratings: list[tuple], rows: list[tuple]) -> list[tuple]:
    """What a user rated above four stars, by genre and month, behind the other columns."""
    high: dict[Hashable, int] = defaultdict(int)
    for user, movie, rating, at in ratings:
        for genre in _genres(audience, movie):
            high[user, genre, _month(at)] += rating > 4
    return [(*row, high[row[:3]]) for row in rows]


def _taste(stars: float) -> str:
    return "likes" if stars > 4 else "dislikes" if stars < 3 else "indifferent"


def _catalogue(audience: Audience) -> list[tuple]:
    return [(movie, *_described(audience, movie)) for movie in audience.movies]


def _described(audience: Audience, movie: int) -> tuple:
    """Title, year, decade and genres."""
    title, genres = audience.movies[movie]
    bare = re.sub(r"\(\d{4}\)$", "", title)
    while unicodedata.category(bare[-1])[0] in "CZ":
        bare = bare[:-1]
    return bare, _year(title), _decade(title), None if genres == NO_GENRES else genres


def _movies(audience: Audience, ratings: list[tuple], tags: list[tuple]) -> list[tuple]:
    months, tagged = defaultdict(list), defaultdict(set)
    for _, movie, rating, at in ratings:
        months[movie, _month(at)].append(rating)
    for _, movie, tag, _ in tags:
        tagged[movie].add(tag.replace("|", "¦"))
    rows = []
    for (movie, month), some in months.items():
        title, year, _, genres = _described(audience, movie)
        rows.append(
            (
                movie,
                month,
                title,
                year,
                genres,
                "|".join(sorted(tagged[movie])) or None,
                len(some),
                float(median(some)),
                *_histogram(some),
            )
        )
    return rows


def _histogram(ratings: list[float]) -> list[int]:
    return [ratings.count(half / 2) for half in range(1, 11)]


def _daily(ratings: list[tuple]) -> list[tuple]:
    days = defaultdict(list)
    for _, movie, rating, at in ratings:
        days[movie, at.date()].append(rating)
    return [(*key, len(some), *_histogram(some)) for key, some in days.items()]


def _actions(ratings: list[tuple], tags: list[tuple]) -> list[tuple]:
    months: dict[Hashable, int] = defaultdict(int)
    whole: dict[Hashable, int] = defaultdict(int)
    for kind, rows in (("rate", ratings), ("tag", tags)):
        for user, *_, at in rows:
            months[user, kind, _month(at)] += 1
            whole[user, kind] += 1
    return [(*key, count, whole[key[:2]]) for key, count in months.items()]  # type: ignore[misc,index]


def _with_groups(actions: list[tuple], rules: Rules) -> list[tuple]:
    totals: dict[tuple, int] = {(row[0], row[1]): row[4] for row in actions}
    rows = []
    for row in actions:
        rater = totals.get((row[0], "rate"), 0) > rules.rater_above
        tagger = totals.get((row[0], "tag"), 0) > rules.tagger_above
        rows.append((*row, rater, tagger, not rater and not tagger))
    return rows


def _shares(ratings: list[tuple], tags: list[tuple], rules: Rules) -> list[tuple]:
    newest = max(at for *_, at in ratings).date()
    whole = len(ratings) + len(tags)
    kinds = (("rate", ratings), ("tag", tags))
    users = {kind: len({row[0] for row in rows}) for kind, rows in kinds}
    return [
        (kind, len(rows), len(rows) / whole, users[kind], newest)
        for kind, rows in kinds
        if users[kind] >= rules.smallest_group
    ]
