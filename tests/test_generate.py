"""`mesh generate`: the same bytes from the same seed, real formats, refusals with a reason."""

from __future__ import annotations

import csv
import errno
import itertools
import re
from collections import Counter
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mesh.cli.main import run
from mesh.deliveries import GENERATED
from mesh.errors import WrongUse
from mesh.movielens.generate import GeneratedCounts, generate
from mesh.movielens.generate import files as generated_files
from mesh.movielens.ingest import ingest

FILES = ("movies.csv", "ratings.csv", "tags.csv")
USERS = 600


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> GeneratedCounts:
    return generate(tmp_path_factory.mktemp("small"), USERS, seed=7)


def digests(folder: Path) -> list[str]:
    return [sha256((folder / name).read_bytes()).hexdigest() for name in FILES]


def rows(folder: Path, name: str) -> list[list[str]]:
    with (folder / name).open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))[1:]


def titles(small: GeneratedCounts) -> list[str]:
    return [row[1] for row in rows(small.folder, "movies.csv")]


def test_the_same_seed_gives_the_same_bytes(small, tmp_path):
    generate(tmp_path, USERS, seed=7)
    assert digests(tmp_path) == digests(small.folder)


def test_another_seed_gives_other_bytes_in_every_file(small, tmp_path):
    generate(tmp_path, USERS, seed=8)
    assert not set(digests(tmp_path)) & set(digests(small.folder))


def test_the_files_have_the_real_headers_and_line_ends(small):
    for name, header in (
        ("movies.csv", b"movieId,title,genres\r\n"),
        ("ratings.csv", b"userId,movieId,rating,timestamp\r\n"),
        ("tags.csv", b"userId,movieId,tag,timestamp\r\n"),
    ):
        content = (small.folder / name).read_bytes()
        assert content.startswith(header)
        assert content.endswith(b"\r\n")
        assert content.count(b"\n") == content.count(b"\r\n") == content.count(b"\r")


def test_a_rating_line_looks_like_a_real_one(small):
    lines = (small.folder / "ratings.csv").read_text().splitlines()[1:]
    real = re.compile(r"[1-9]\d*,[1-9]\d*,[0-5]\.[05],\d{9,10}")
    assert all(real.fullmatch(line) for line in lines)


def test_only_fields_with_commas_or_quotes_are_quoted(small):
    for line in (small.folder / "movies.csv").read_text(encoding="utf-8").splitlines()[1:]:
        title = next(csv.reader([line]))[1]
        assert line.split(",", 1)[1].startswith('"') == ("," in title or '"' in title)


def test_ratings_are_ordered_by_user_then_movie_and_none_stands_twice(small):
    keys = [(int(u), int(m)) for u, m, _, _ in rows(small.folder, "ratings.csv")]
    assert all(a < b for a, b in itertools.pairwise(keys))
    assert {user for user, _ in keys} == set(range(1, USERS + 1))


def test_tags_are_ordered_by_user_then_movie_then_text_and_none_stands_twice(small):
    keys = [(int(u), int(m), tag.lower(), tag) for u, m, tag, _ in rows(small.folder, "tags.csv")]
    assert all(a < b for a, b in itertools.pairwise(keys))


def test_every_rating_and_tag_names_a_movie_that_exists(small):
    movies = {row[0] for row in rows(small.folder, "movies.csv")}
    assert len(movies) == small.movies
    assert {row[1] for row in rows(small.folder, "ratings.csv")} <= movies
    assert {row[1] for row in rows(small.folder, "tags.csv")} <= movies


def test_the_counts_are_those_of_the_files(small):
    found = [len(rows(small.folder, name)) for name in FILES]
    assert found == [small.movies, small.ratings, small.tags]


@pytest.mark.parametrize(
    ("form", "pattern"),
    [
        ("a blank after the year", r"\(\d{4}\) $"),
        ("no year", r"^[^()]*$"),
        ("a range of years", r"\(\d{4}–\d{4}\)$"),
        ("an open range", r"\(\d{4}-\)$"),
        ("two years", r"\(\d{4}\) \(\d{4}\)$"),
        ("a year that is not the last thing", r"\(\d{4}\) \(Director's Cut\)$"),
        ("a year without its bracket", r"\(\d{4}$"),
        ("quotes", '"'),
        ("a comma", ", The "),
        ("Cyrillic", "[а-я]"),
        ("another title in brackets", r" \(.+\) \(\d{4}\)$"),
        ("a number in front", r"^\d{4} "),
    ],
)
def test_titles_are_as_awkward_as_real_ones(small, form, pattern):
    assert any(re.search(pattern, title) for title in titles(small)), form


def test_titles_are_written_in_many_scripts(small):
    text = "".join(titles(small))
    for script in ("[а-я]", "[ぁ-ん]", "[一-龥]", "[가-힣]", "[ء-ي]", "[α-ω]", "[א-ת]"):
        assert re.search(script, text), script


def test_a_few_titles_stand_twice_under_different_ids(small):
    repeated = [title for title, count in Counter(titles(small)).items() if count > 1]
    assert 1 <= len(repeated) <= 30


def test_some_movies_list_no_genres(small):
    genres = Counter(row[2] for row in rows(small.folder, "movies.csv"))
    assert genres["(no genres listed)"] > 0
    assert not any("(no genres listed)|" in text or text == "" for text in genres)


def test_awkward_tags_are_there(small):
    tags = {row[2] for row in rows(small.folder, "tags.csv")}
    assert any('"' in tag for tag in tags)
    assert any("," in tag for tag in tags)
    assert any(not tag.isascii() for tag in tags)


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    users=st.integers(1, 60),
    seed=st.integers(0, 2**63),
    movies=st.one_of(st.none(), st.integers(100, 400)),
    end=st.dates(date(1997, 12, 31), date(2023, 12, 31)),
)
def test_any_small_size_keeps_the_promises(tmp_path, users, seed, movies, end):
    made = generate(tmp_path, users, seed, movies=movies, end=end, force=True)
    known = {row[0] for row in rows(tmp_path, "movies.csv")}
    ratings, tags = rows(tmp_path, "ratings.csv"), rows(tmp_path, "tags.csv")
    per_user = Counter(row[0] for row in ratings)
    assert len(per_user) == users == made.users
    assert min(per_user.values()) >= 20
    assert len({(u, m) for u, m, _, _ in ratings}) == len(ratings) == made.ratings
    assert len({(u, m, tag) for u, m, tag, _ in tags}) == len(tags) == made.tags
    assert {row[1] for row in ratings + tags} <= known
    assert {float(row[2]) for row in ratings} <= {half / 2 for half in range(1, 11)}
    moments = [datetime.fromtimestamp(int(row[3]), tz=UTC).date() for row in ratings + tags]
    assert date(1995, 1, 9) <= min(moments)
    assert max(moments) <= end


def test_the_newest_rating_is_on_the_day_that_was_asked_for(tmp_path):
    generate(tmp_path, 50, end=date(2023, 10, 13))
    assert max(int(row[3]) for row in rows(tmp_path, "ratings.csv")) // 86_400 == (
        (date(2023, 10, 13) - date(1970, 1, 1)).days
    )


def test_later_months_are_deliveries_of_their_own_and_nothing_else_changes(tmp_path):
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    generate(whole, 60, end=date(2020, 1, 9))
    made = generate(cut, 60, end=date(2020, 1, 9), later_months=2)
    later = [tmp_path / "cut-2019-12", tmp_path / "cut-2020-01"]
    assert sorted(tmp_path.iterdir()) == [cut, *later, whole]
    assert {rows(folder, "movies.csv") == rows(whole, "movies.csv") for folder in later} == {True}
    for file in ("ratings.csv", "tags.csv"):
        parts = [rows(folder, file) for folder in (cut, *later)]
        assert sorted(row for part in parts for row in part) == sorted(rows(whole, file))
        months = [
            {f"{datetime.fromtimestamp(int(r[3]), UTC):%Y-%m}" for r in part} for part in parts
        ]
        assert max(months[0]) < "2019-12"
        assert months[1] <= {"2019-12"} and months[2] <= {"2020-01"}
    assert made.ratings == len(rows(whole, "ratings.csv"))


def refusal(capsys, *words: str) -> str:
    with pytest.raises(SystemExit) as stopped:
        run(["generate", *words])
    assert stopped.value.code == 2
    shown = capsys.readouterr().err
    assert "Traceback" not in shown
    return " ".join(shown.split())


@pytest.mark.parametrize(
    ("option", "value", "sentence"),
    [
        ("--users", "-5", "--users is -5. Give 1 or more."),
        ("--users", "0", "--users is 0. Give 1 or more."),
        ("--seed", "-1", "--seed is -1. Give 0 or more."),
        ("--movies", "30", "--movies is 30. Give 100 to 1000000: every user rates at least"),
        ("--movies", "100000000000", "--movies is 100000000000. Give 100 to 1000000: every"),
        ("--later-months", "-1", "--later-months is -1. Give 0 to 24."),
        ("--end", "1990-01-01", "--end is 1990-01-01. Give a day from 1997-12-31 to yesterday"),
        ("--end", "2999-01-01", "--end is 2999-01-01. Give a day from 1997-12-31 to yesterday"),
    ],
)
def test_an_argument_out_of_range_is_refused(tmp_path, capsys, option, value, sentence):
    words = {"--users": "10", "--out": str(tmp_path / "new"), option: value}
    shown = refusal(capsys, *(word for pair in words.items() for word in pair))
    assert sentence in shown
    assert not (tmp_path / "new").exists()


def test_a_file_in_place_of_the_folder_is_refused(tmp_path, capsys):
    (tmp_path / "taken").write_text("mine")
    shown = refusal(capsys, "--users", "10", "--out", str(tmp_path / "taken"))
    assert f"{tmp_path / 'taken'}: is a file, not a folder. Give another --out." in shown
    assert (tmp_path / "taken").read_text() == "mine"


def test_a_folder_below_a_file_is_refused(tmp_path, capsys):
    (tmp_path / "taken").write_text("mine")
    shown = refusal(capsys, "--users", "10", "--out", str(tmp_path / "taken" / "below"))
    assert "cannot be written: Not a directory. Choose a folder that you may write to" in shown


def test_a_folder_with_files_in_it_is_refused_unless_forced(tmp_path, capsys):
    (tmp_path / "ratings.csv").write_text("mine")
    shown = refusal(capsys, "--users", "10", "--out", str(tmp_path))
    assert "the folder is not empty. Give an empty or new folder, or --force to replace" in shown
    assert (tmp_path / "ratings.csv").read_text() == "mine"
    generate(tmp_path, 10, force=True)
    assert len(rows(tmp_path, "ratings.csv")) > 200
    assert sorted(path.name for path in tmp_path.iterdir()) == ["GENERATED.txt", *FILES]


def test_too_little_room_is_said_before_anything_is_written(tmp_path, monkeypatch):
    usage = type("Usage", (), {"free": 1_000_000_000})()
    monkeypatch.setattr(generated_files.shutil, "disk_usage", lambda path: usage)
    with pytest.raises(WrongUse, match=r"1,000,000 users take about 4,700 MB, 1,000 MB are free"):
        generate(tmp_path, 1_000_000)
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_fills_up_leaves_the_old_files_as_they_were(tmp_path, monkeypatch):
    (tmp_path / "ratings.csv").write_text("old")

    def full(*_: object) -> bytes:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("mesh.movielens.generate.run.rating_lines", full)
    with pytest.raises(WrongUse, match=r"the disk is full; nothing was kept\. Make room"):
        generate(tmp_path, 10, force=True)
    assert [path.name for path in tmp_path.iterdir()] == ["ratings.csv"]
    assert (tmp_path / "ratings.csv").read_text() == "old"


def test_a_folder_that_may_not_be_written_to_is_refused(tmp_path, monkeypatch):
    def forbidden(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", forbidden)
    with pytest.raises(WrongUse, match=r"cannot be written: Permission denied\. Choose a folder"):
        generate(tmp_path / "new", 10)


def test_the_command_ends_with_one_plain_line(tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        run(["generate", "--users", "30", "--seed", "4", "--out", str(tmp_path / "new")])
    assert not ended.value.code
    shown = capsys.readouterr()
    assert shown.err == ""
    assert re.fullmatch(
        r".*new: 30 users, [\d,]+ movies, [\d,]+ ratings, \d+ tags in \d+\.\d s \([\d,]+ rows/s\)",
        " ".join(shown.out.split()),
    )


def test_what_was_generated_is_known_as_such_after_it_was_ingested(small, tmp_path):
    database = tmp_path / "mesh.duckdb"
    ingest(small.folder, database=database)
    with duckdb.connect(str(database)) as connection:
        ((source,),) = connection.execute("SELECT source FROM operational.ingests").fetchall()
    assert source == f"{small.folder}{GENERATED}"
