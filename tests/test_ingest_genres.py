"""`mesh ingest`: genres as people write them, and which the contract with the source knows."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from mesh.errors import CheckFailed, WrongUse
from mesh.movielens.ingest.genres import Genres, genres_of
from tests.deliveries import HEADERS, deliver, rows
from tests.project_copy import PROJECT

pytest_plugins = ["tests.ingesting"]
KNOWN = genres_of(PROJECT.contracts)


@pytest.mark.parametrize(
    ("text", "genres"),
    [
        ("Drama|Crime", ["Drama", "Crime"]),
        ("['Drama', 'Crime']", ["Drama", "Crime"]),
        ('["Drama", "Sci-Fi"]', ["Drama", "Sci-Fi"]),
        ("['Drama' 'Crime']", ["Drama", "Crime"]),
        ("['Drama|Crime']", ["Drama", "Crime"]),
        ("('Drama',)", ["Drama"]),
        ("{'Drama', 'Crime'}", ["Drama", "Crime"]),
        ("[Drama, Crime]", ["Drama", "Crime"]),
        ("[]", []),
        ("[nan]", []),
        ("Drama, Crime", ["Drama", "Crime"]),
        ("Drama/Crime;War", ["Drama", "Crime", "War"]),
        ("drama|CRIME|Film-noir", ["Drama", "Crime", "Film-Noir"]),
        (" Drama |\u3000Crime\u0085", ["Drama", "Crime"]),
        ("Drama||Crime|", ["Drama", "Crime"]),
        ("Drama|Drama", ["Drama"]),
        ("Drama|(no genres listed)", ["Drama"]),
        *((none, []) for none in ("", " ", "nan", "NaN", "None", "NULL", "N/A", "<NA>", "-", "|")),
        *((none, []) for none in ("(no genres listed)", "(no genres listed) ", "unknown")),
        ("Krimi, Drama", ["Krimi, Drama"]),
        ("[{'id': 18, 'name': 'Drama'}]", ["[{'id': 18, 'name': 'Drama'}]"]),
        ("Children's|Drama", ["Children's", "Drama"]),
    ],
)
def test_genres_are_read_in_whatever_way_they_are_joined(text, genres):
    assert KNOWN.read(text) == genres


def test_without_known_genres_only_bars_and_lists_are_taken_apart():
    assert Genres().read("Drama, Crime") == ["Drama, Crime"]
    assert Genres().read("['Drama', 'Crime']") == ["Drama", "Crime"]
    assert Genres().unknown(["Drama, Crime"]) == []


def test_a_movie_without_genres_keeps_its_ratings(load, database, tmp_path):
    movies = HEADERS["movies"] + "\n1,Toy Story (1995),\n2,Heat (1995),nan\n"
    result = load(deliver(tmp_path / "in", movies=movies), max_rejected=0)
    assert (result.lines_loaded, result.lines_rejected) == (7, 0)
    none = "(no genres listed)"
    assert rows(database, "SELECT genres FROM operational.movies") == [(none,), (none,)]


MOVIES = (
    HEADERS["movies"] + "\n1,Toy Story (1995),Dramma|Comedy\n2,Heat (1995),Crime\n"
    "3,A (1995),Dramma\n2,Heat (1995),War\n"
)
TOLD = "'Dramma' (2 movies, the first at movies.csv:2). Correct the source, or add what is a genre"


def test_unknown_genres_are_told_with_the_first_line(load, database, tmp_path):
    source = deliver(tmp_path / "in", movies=MOVIES)
    assert load(source).notes == ()
    result = load(deliver(source, movies=MOVIES, tags=HEADERS["tags"]), contracts=PROJECT.contracts)
    note, emptied = result.notes
    assert emptied.startswith("tags: 0 rows, where there were 2. A full snapshot takes away")
    assert note.startswith("1 genre is not among those in ")
    assert f"contracts/operational/movies.odcs.yaml: {TOLD} there." in note
    # The line of a row is still found after its text was put in another form.
    reasons = rows(database, "SELECT line_number, reason FROM operational.rejected_lines")
    assert reasons[-1] == (3, "not the newest: movieId as in line 5")


def changed(tmp_path: Path, old: str, new: str) -> Path:
    """A copy of the contracts with another text in that of the movies."""
    shutil.copytree(PROJECT.contracts / "operational", tmp_path / "contracts" / "operational")
    path = tmp_path / "contracts" / "operational" / "movies.odcs.yaml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    return tmp_path / "contracts"


def test_unknown_genres_are_refused_where_the_owner_says_so(load, database, tmp_path):
    source = deliver(tmp_path / "in", movies=MOVIES)
    contracts = changed(tmp_path, "value: told", "value: refused")
    with pytest.raises(CheckFailed, match="1 genre is not among those in ") as caught:
        load(source, contracts=contracts)
    assert "The tables are as they were." in str(caught.value)
    assert not database.exists()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("value: told", "value: maybe", "the property unknownGenres is not told or refused."),
        ("property: knownGenres", "property: genres", "the property knownGenres is not a list of"),
    ],
)
def test_a_contract_that_says_something_else_of_genres_is_refused(tmp_path, old, new, message):
    with pytest.raises(WrongUse, match=message):
        genres_of(changed(tmp_path, old, new))


def test_titles_without_years_are_told(load, tmp_path):
    def movies(years: int) -> str:
        titles = [f"{n},M{' (1999)' if n <= years else ''},Drama\n" for n in range(1, 21)]
        return "".join([HEADERS["movies"], "\n", *titles])

    (note,) = load(deliver(tmp_path / "0", movies=movies(0))).notes
    assert note.startswith(
        "No title ends in its release year, such as `Toy Story (1995)`: a plan stops"
    )
    (note,) = load(deliver(tmp_path / "17", movies=movies(17))).notes
    assert note.startswith("3 of 20 titles do not end in their release year")
    assert load(deliver(tmp_path / "18", movies=movies(18))).notes == ()
    # Those that are there already end in their years, so no rule stops a plan.
    one = f"{HEADERS['movies']}\n99,M,Drama\n"
    (note, *_) = load(deliver(tmp_path / "more", movies=one), append=True).notes
    assert note.startswith("1 of 1 titles do not end in their release year")


def test_movies_without_any_genre_are_told(load, tmp_path):
    def movies(*genres: str) -> str:
        rows = [f"{n},M (1999),{text}\n" for n, text in enumerate(genres, 1)]
        return "".join([HEADERS["movies"], "\n", *rows])

    (note,) = load(deliver(tmp_path / "none", movies=movies("(no genres listed)", ""))).notes
    assert note.startswith("No movie has a genre: a plan stops at the rule some_have_genres")
    assert load(deliver(tmp_path / "one", movies=movies("", "Drama"))).notes == ()
    # Those that are there already have some.
    more = f"{HEADERS['movies']}\n99,N (1999),\n"
    assert load(deliver(tmp_path / "more", movies=more), append=True).notes == ()
