"""`mesh ingest`: what an ingest records and changes, and that it is all or nothing."""

from __future__ import annotations

import csv
import json
import os
import zipfile
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path

import duckdb
import pytest

from mesh.cli.main import run
from mesh.errors import CheckFailed, WrongUse
from mesh.movielens.ingest import create_operational_tables_sql
from mesh.movielens.ingest.stage import Counts
from tests.deliveries import HEADERS, MOVIES, NOW, RATINGS, TAGS, all_tables, deliver, rows
from tests.project_copy import PROJECT

pytest_plugins = ["tests.ingesting"]


def test_an_ingest_is_recorded_with_counts_and_months(load, database, tmp_path):
    result = load(deliver(tmp_path / "in"))
    ((row),) = rows(database, "FROM operational.ingests")
    assert row[:2] == (1, str(tmp_path / "in"))
    assert row[2:10] == (result.checksum, "snapshot", 7, 7, 0, 2, 3, 2)
    assert row[10] == [date(2000, 7, 1), date(2001, 9, 1), date(2004, 11, 1)]
    assert row[11] <= row[12]
    assert row[13:] == (2, 3, 2, None, 0, 0)
    assert rows(database, "SELECT * FROM operational.changed_months ORDER BY ALL") == [
        (1, "movies", date(1970, 1, 1)),
        (1, "movies", date(2000, 7, 1)),
        (1, "movies", date(2001, 9, 1)),
        (1, "movies", date(2004, 11, 1)),
        (1, "ratings", date(2000, 7, 1)),
        (1, "ratings", date(2001, 9, 1)),
        (1, "ratings", date(2004, 11, 1)),
        (1, "tags", date(2000, 7, 1)),
        (1, "tags", date(2001, 9, 1)),
    ]


def test_the_same_source_twice_changes_and_records_nothing(load, database, tmp_path):
    source = deliver(tmp_path / "in")
    load(source)
    before = all_tables(database)
    result = load(source)
    assert result.nothing_changed
    assert all_tables(database) == before


def test_the_same_snapshot_is_loaded_again_after_rows_were_lost(load, database, tmp_path):
    source = deliver(tmp_path / "in")
    load(source)
    with duckdb.connect(str(database)) as connection:
        connection.execute("DELETE FROM operational.ratings WHERE userId = 2")
    result = load(source)
    assert not result.nothing_changed
    assert result.months["ratings"] == (date(2004, 11, 1),)


def test_an_earlier_snapshot_after_another_is_loaded_again(load, database, tmp_path):
    first = deliver(tmp_path / "1")
    load(first)
    load(deliver(tmp_path / "2", ratings=RATINGS.replace("4.0", "1.0")))
    assert not load(first).nothing_changed
    assert rows(database, "SELECT rating FROM operational.ratings LIMIT 1") == [(4.0,)]


def test_a_changed_snapshot_names_old_and_new_months_of_what_differs(load, tmp_path):
    load(deliver(tmp_path / "1"))
    # One rating moves to another month, one is gone, one is new.
    ratings = HEADERS["ratings"] + "\n1,1,4.0,970000000\n1,2,3.5,1000000000\n3,2,5.0,1300000000\n"
    result = load(deliver(tmp_path / "2", ratings=ratings))
    assert result.months["ratings"] == (
        date(2000, 7, 1),
        date(2000, 9, 1),
        date(2004, 11, 1),
        date(2011, 3, 1),
    )
    assert result.months["movies"] == ()
    assert result.months["tags"] == ()


def test_a_snapshot_that_takes_many_rows_away_says_so(load, tmp_path):
    assert load(deliver(tmp_path / "1")).notes == ()
    result = load(deliver(tmp_path / "2", ratings="\n".join(RATINGS.split("\n")[:2]) + "\n"))
    assert result.notes == (
        "ratings: 1 rows, where there were 3. A full snapshot takes away what it does not hold; if "
        "this one is not whole, take it back with `mesh ingest --undo`.",
    )
    assert load(deliver(tmp_path / "3"), append=True).notes == ()


@pytest.mark.parametrize("append", [False, True])
def test_titles_that_are_shifted_by_a_line_are_told(load, tmp_path, append):
    def movies(shifted: int, only: int = 100) -> str:
        lines = (f"{n},M{n + shifted * (n <= only)} (1999),Drama\n" for n in range(1, 101))
        return "".join([HEADERS["movies"], "\n", *lines])

    load(deliver(tmp_path / "1", movies=movies(0)))
    assert load(deliver(tmp_path / "2", movies=movies(1, only=20)), append=append).notes == ()
    assert load(deliver(tmp_path / "3", movies=movies(1)), append=append).notes == (
        "movies: of 100 rows that stood there this delivery changes title in 80. If nobody meant "
        "it, take it back with `mesh ingest --undo`.",
    )


def test_as_many_ratings_of_others_are_told(load, tmp_path):
    def ratings(first: int) -> str:
        lines = (f"{n},1,4.0,{1_000_000_000 + n}\n" for n in range(first, first + 30))
        return "".join([HEADERS["ratings"], "\n", *lines])

    load(deliver(tmp_path / "1", ratings=ratings(1)))
    assert load(deliver(tmp_path / "2", ratings=ratings(11))).notes == ()
    assert load(deliver(tmp_path / "3", ratings=ratings(500))).notes == (
        "ratings: of 30 rows that stood there this delivery takes away 30, and brings others. If "
        "nobody meant it, take it back with `mesh ingest --undo`.",
    )
    assert load(deliver(tmp_path / "4", ratings=ratings(1)), append=True).notes == ()


def test_ratings_with_other_stars_are_told(load, tmp_path):
    def ratings(stars: float, later: int = 0) -> str:
        lines = (f"{n},1,{stars},{1_000_000_000 + n + later}\n" for n in range(1, 31))
        return "".join([HEADERS["ratings"], "\n", *lines])

    load(deliver(tmp_path / "1", ratings=ratings(4.5)))
    (note,) = load(deliver(tmp_path / "2", ratings=ratings(4.0, later=1))).notes
    assert note.startswith(
        "ratings: of 30 rows that stood there this delivery changes rating in 30 and timestamp in "
        "30."
    )
    # Newer ones of the same people are no other values than somebody meant, and told all the same.
    (note,) = load(deliver(tmp_path / "3", ratings=ratings(4.0, later=9)), append=True).notes
    assert note.startswith("ratings: of 30 rows that stood there this delivery changes timestamp")


def test_what_is_added_to_tables_that_something_else_changed_says_so(load, database, tmp_path):
    load(deliver(tmp_path / "1"))
    with duckdb.connect(str(database)) as connection:
        connection.execute("DELETE FROM operational.ratings WHERE userId = 2")
    result = load(
        deliver(tmp_path / "2", ratings=f"{HEADERS['ratings']}\n9,2,5.0,1300000000\n"), append=True
    )
    assert result.notes == (
        "ratings: 2 rows stood there, and 3 after ingest 1: something else changed it since. "
        "What is added now stands on that; if nobody meant it, deliver all of it again without "
        "`--append`.",
    )


def test_a_changed_title_names_the_months_in_which_that_movie_was_rated(load, tmp_path):
    load(deliver(tmp_path / "1"))
    result = load(deliver(tmp_path / "2", movies=MOVIES.replace("Heat, The", "Heat")))
    assert result.months == {
        "movies": (date(1970, 1, 1), date(2001, 9, 1)),
        "ratings": (),
        "tags": (),
    }
    assert result.changed_months == (date(2001, 9, 1),)


def test_a_movie_that_is_gone_names_the_months_in_which_it_had_been_rated(load, tmp_path):
    load(deliver(tmp_path / "1"))
    source = deliver(
        tmp_path / "2",
        movies=MOVIES.replace('2,"Heat, The (1995)",Crime\n', ""),
        ratings=RATINGS.replace("1,2,3.5,1000000000\n", ""),
        tags=TAGS.replace('2,2,"slow, but good",1000000000\n', ""),
    )
    assert load(source).months == {
        "movies": (date(1970, 1, 1), date(2001, 9, 1)),
        "ratings": (date(2001, 9, 1),),
        "tags": (date(2001, 9, 1),),
    }


def test_append_adds_replaces_by_newer_and_removes_nothing(load, database, tmp_path):
    load(deliver(tmp_path / "1"))
    later = deliver(
        tmp_path / "2",
        movies=HEADERS["movies"] + "\n3,New (2019),Drama\n1,Toy Story (1995),Animation\n",
        ratings=HEADERS["ratings"]
        + "\n1,1,1.0,1400000000\n9,3,5.0,1400000001\n2,1,0.5,1100000000\n",
        tags=HEADERS["tags"] + "\n1,1,fun,1500000000\n",
    )
    result = load(later, append=True)
    assert rows(database, "SELECT * EXCLUDE timestamp FROM operational.ratings ORDER BY ALL") == [
        (1, 1, 1.0),
        (1, 2, 3.5),
        (2, 1, 0.5),
        (9, 3, 5.0),
    ]
    assert rows(database, "SELECT movieId, genres FROM operational.movies ORDER BY ALL") == [
        (1, "Animation"),
        (2, "Crime"),
        (3, "Drama"),
    ]
    assert result.months == {
        "movies": (date(1970, 1, 1), date(2000, 7, 1), date(2004, 11, 1), date(2014, 5, 1)),
        "ratings": (date(2000, 7, 1), date(2014, 5, 1)),
        "tags": (date(2000, 7, 1), date(2017, 7, 1)),
    }


def test_an_append_that_is_older_takes_nothing_back_and_says_what_it_ignored(
    load, database, tmp_path
):
    load(deliver(tmp_path / "1"))
    before = all_tables(database)
    result = load(
        deliver(
            tmp_path / "2",
            movies=HEADERS["movies"],
            # Years older; in the same second, with more stars; newer.
            ratings=HEADERS["ratings"] + "\n2,1,5.0,800000000\n1,1,4.5,964982703\n"
            "1,2,1.0,1000000001\n",
            tags=HEADERS["tags"] + "\n1,1,fun,900000000\n",
        ),
        append=True,
        max_rejected=0,
    )
    assert result.counts["ratings"] == Counts(read=3, loaded=1, rejected=0, ignored=2, replaced=1)
    assert result.counts["tags"] == Counts(read=1, loaded=0, rejected=0, ignored=1)
    assert result.months == {"movies": (), "ratings": (date(2001, 9, 1),), "tags": ()}
    after = all_tables(database)
    assert after["tags"] == before["tags"]
    changed = set(after["ratings"]) ^ set(before["ratings"])
    assert {row[:3] for row in changed} == {(1, 2, 1.0), (1, 2, 3.5)}
    assert [row[1:] for row in after["rejected_lines"]] == [
        (
            "operational.ratings",
            None,
            "1,2,3.5,1000000000",
            "replaced: by 1,2,1.0,1000000001",
        ),
        (
            "ratings.csv",
            2,
            "2,1,5.0,800000000",
            "not the newest: operational.ratings has 2,1,0.5,1100000000",
        ),
        (
            "ratings.csv",
            3,
            "1,1,4.5,964982703",
            "not the newest: operational.ratings has 1,1,4.0,964982703",
        ),
        (
            "tags.csv",
            2,
            "1,1,fun,900000000",
            "not the newest: operational.tags has 1,1,fun,964982703",
        ),
    ]
    assert after["ingests"][1][4:7] == (4, 1, 0)
    assert after["ingests"][1][-2:] == (3, 1)


def test_the_summary_counts_what_is_ignored_and_replaced(
    load, database, tmp_path, monkeypatch, capsys
):
    load(deliver(tmp_path / "1"))
    monkeypatch.setenv("MESH_DUCKDB", str(database))
    newer = "1,1,1.0,1500000000\n1,2,1.0,800000000\n1,2,1.5,800000000\nx\n"
    source = deliver(tmp_path / "2", ratings=f"{HEADERS['ratings']}\n{newer}")
    with pytest.raises(SystemExit) as end:
        run(["ingest", str(source), "--append", "--max-rejected", "25%"])
    shown = capsys.readouterr().out
    assert not end.value.code
    table = [line.split()[:6] for line in shown.splitlines()]
    assert ["table", "lines", "read", "loaded", "rejected", "ignored"] in table
    assert ["ratings", "4", "1", "1", "2", "1"] in table
    assert "5 loaded + 1 rejected + 2 ignored = 8 lines read, in " in shown
    assert (
        "Kept with their reasons in operational.rejected_lines (ingest_id 2): 1 rejected; "
        "2 ignored, since a newer one counts; 1 replaced, since a newer one came.\n"
    ) in shown
    load(deliver(tmp_path / "1"))
    with pytest.raises(SystemExit) as end:
        run(["ingest", str(source), "--append", "--max-rejected", "25%", "--json"])
    told = json.loads(capsys.readouterr().out)
    lines = ("read", "loaded", "rejected", "ignored")
    assert [told[f"lines_{what}"] for what in lines] == [8, 5, 1, 2]
    assert told["rows_replaced"] == 1
    assert told["tables"]["ratings"] == {
        "read": 4,
        "loaded": 1,
        "rejected": 1,
        "ignored": 2,
        "replaced": 1,
    }


def test_what_is_not_the_newest_is_no_reason_to_refuse_a_delivery(load, tmp_path):
    ratings = RATINGS + "".join(f"1,2,3.5,{second}\n" for second in range(900000000, 900000009))
    source = deliver(tmp_path / "in", ratings=ratings)
    assert load(source, max_rejected=0).total("ignored") == 9
    with pytest.raises(CheckFailed) as caught:
        load(deliver(tmp_path / "in", ratings=ratings + "x\n"), max_rejected=0)
    assert "1 of 13 lines of ratings (7.7 %) were rejected" in str(caught.value)
    assert "not the newest" not in str(caught.value)
    listed = Path(str(caught.value).partition("All of them are in ")[2].partition(".csv")[0])
    assert len(listed.with_suffix(".csv").read_text().splitlines()) == 2


def test_append_knows_the_movies_of_earlier_deliveries(load, tmp_path):
    load(deliver(tmp_path / "1"))
    later = deliver(
        tmp_path / "2",
        movies=HEADERS["movies"] + "\n",
        ratings=HEADERS["ratings"] + "\n5,2,4.0,1000000000\n5,77,4.0,1000000000\nx\n",
        tags=HEADERS["tags"],
    )
    result = load(later, append=True)
    assert (result.lines_loaded, result.lines_rejected) == (1, 2)


def test_the_same_append_twice_changes_and_records_nothing(load, database, tmp_path):
    load(deliver(tmp_path / "1"))
    later = deliver(tmp_path / "2", ratings=RATINGS.replace("4.0", "5.0"))
    load(later, append=True)
    before = all_tables(database)
    assert load(later, append=True).nothing_changed
    assert all_tables(database) == before


def test_too_many_rejected_lines_stop_the_ingest_and_are_listed(load, database, tmp_path):
    load(deliver(tmp_path / "1"))
    before = all_tables(database)
    source = deliver(
        tmp_path / "2", ratings=RATINGS + "9,77,4.0,964982703\n9,78,4.0,964982703\nx\n"
    )
    with pytest.raises(CheckFailed) as caught:
        load(source, max_rejected="0.1%")
    assert caught.value.exit_code == 1
    message = str(caught.value)
    assert (
        "3 of 6 lines of ratings (50.0 %) were rejected, where 0.1 % of a table's are allowed"
        in message
    )
    assert "unknown movie (2, the first at ratings.csv:5)" in message
    assert "wrong number of fields (1, the first at ratings.csv:7)" in message
    (listed,) = (database.parent / "rejected").iterdir()
    assert str(listed) in message
    assert [line.split(",")[:2] for line in listed.read_text().splitlines()[1:]] == [
        ["ratings.csv", "5"],
        ["ratings.csv", "6"],
        ["ratings.csv", "7"],
    ]
    assert all_tables(database) == before


def test_the_list_of_rejected_lines_is_no_program_in_a_spreadsheet(load, database, tmp_path):
    lines = ["=1+1", "+1", "-1", "@a", "\t=1", "plain"]
    source = deliver(tmp_path / "in", ratings=RATINGS + "".join(f"{line}\n" for line in lines))
    with pytest.raises(CheckFailed):
        load(source, max_rejected=0)
    (listed,) = (database.parent / "rejected").iterdir()
    with listed.open(newline="", encoding="utf-8") as file:
        texts = [row["raw_text"] for row in csv.DictReader(file)]
    assert texts == [*(f"'{line}" for line in lines[:-1]), "plain"]
    assert [path.suffix for path in listed.parent.iterdir()] == [".csv"]


def test_the_first_value_of_a_kind_is_shown_unless_the_output_is_kept(load, tmp_path, monkeypatch):
    source = deliver(tmp_path / "in", ratings=RATINGS + "me,1,1.0,964982703\n")
    told = "unreadable number (1, the first at ratings.csv:5)"
    value = ": userId 'me', where a whole number is expected"
    assert load(source).reasons == told + value
    monkeypatch.setenv("MESH_EXAMPLES", "no")
    assert load(source, append=True).reasons == told


def test_exactly_the_allowed_share_of_each_table_is_allowed(load, tmp_path):
    movies = HEADERS["movies"] + "\n" + "".join(f"{n},M (1999),Drama\n" for n in range(1, 1000))
    source = deliver(tmp_path / "in", movies=movies + "x\n")
    assert load(source, max_rejected="0.1%").lines_rejected == 1
    with pytest.raises(CheckFailed, match=r"2 of 1,001 lines of movies \(0.2 %\) were rejected"):
        load(deliver(tmp_path / "in", movies=movies + "x\ny\n"), max_rejected=0.001)
    # Of all lines it is less than the share; of the ratings it is a third.
    source = deliver(tmp_path / "in", movies=movies, ratings=RATINGS + "x\n")
    with pytest.raises(CheckFailed, match=r"1 of 4 lines of ratings \(25.0 %\) were rejected"):
        load(source, max_rejected="0.1%")


@pytest.mark.parametrize("text", ["many", "-1", "101%", "nan", "inf", ""])
def test_a_limit_that_is_no_share_is_named(load, tmp_path, text):
    with pytest.raises(WrongUse, match="is not a share of lines"):
        load(deliver(tmp_path / "in"), max_rejected=text)


def test_a_zip_is_the_same_delivery_as_its_folder(load, database, tmp_path):
    source = deliver(tmp_path / "in")
    for above in ("", "ml-25m/"):
        archive = tmp_path / "in.zip"
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
            packed.writestr(f"{above}README.txt", "read me")
            for path in source.iterdir():
                packed.write(path, f"{above}{path.name}")
        load(archive)
        assert load(source).nothing_changed
        assert rows(database, "SELECT count(*) FROM operational.ingests") == [(1,)]
    # However its files are spelt, of which a zip and a folder tell different things.
    (source / "movies.csv").rename(source / "Movies.CSV")
    assert load(source).nothing_changed


def test_the_statements_that_make_the_tables_can_run_twice():
    with duckdb.connect() as connection:
        for statement in create_operational_tables_sql("duckdb") * 2:
            connection.execute(statement)
        assert len(connection.execute("SHOW ALL TABLES").fetchall()) == 9
    bigquery = create_operational_tables_sql("bigquery")
    assert "`changed_months` ARRAY<DATE>" in " ".join(bigquery)
    assert all("IF NOT EXISTS" in statement for statement in bigquery)


@pytest.mark.movielens
@pytest.mark.skipif(not os.environ.get("MOVIELENS_DIR"), reason="needs MOVIELENS_DIR")
def test_the_real_files_load_whole(load):
    result = load(Path(os.environ["MOVIELENS_DIR"]), now=datetime.now(UTC))
    loaded = {name: counts.loaded for name, counts in result.counts.items()}
    assert loaded == {"movies": 9742, "ratings": 100836, "tags": 3683}
    assert result.lines_rejected == 0


def test_an_ingest_holds_the_contracts_with_the_source():
    from mesh.contracts import find
    from mesh.contracts.constraints.length import Length
    from mesh.contracts.constraints.multiple_of import MultipleOf
    from mesh.movielens.ingest.rules import FIRST_SECOND, MOST_CHARACTERS, SMALLEST_ID, STARS
    from mesh.movielens.ingest.schema import DELIVERED

    for table in DELIVERED:
        contract = find(f"operational.{table.name}", PROJECT.contracts)
        assert contract.grain == table.key
        promised = [(c.name, c.duckdb_type, c.bigquery_type) for c in contract.columns]
        assert promised == [(c.name, c.duckdb, c.bigquery) for c in table.columns]
        for column in contract.columns:
            length = column.promise(Length)
            assert (length and length.most) == MOST_CHARACTERS.get(column.name)
            assert not column.name.endswith("Id") or column.minimum == SMALLEST_ID
            if column.name == "rating":
                assert (column.minimum, column.maximum) == (STARS[0], STARS[-1])
                assert {b - a for a, b in pairwise(STARS)} == {column.promise(MultipleOf).step}
            if column.name == "timestamp":
                first = datetime.fromisoformat(str(column.minimum))
                assert first.timestamp() == FIRST_SECOND


def test_what_loads_just_so_keeps_the_contracts_with_the_source(load, database, tmp_path):
    from mesh.contracts import find

    movies = f"9,{'é' * 1024},A | B\n10,\u00ad-,\u200b\n11,(1999) , a\n"
    load(
        deliver(
            tmp_path / "in",
            movies=MOVIES + movies,
            ratings=RATINGS + f"{2**63 - 1},11,.5,788918400\n3,1,5,{int(NOW.timestamp())}\n",
            tags=TAGS + f"1,9,{'座' * 10_000},788918400\n1,9,|,788918400\n",
        )
    )
    for name in HEADERS:
        contract = find(f"operational.{name}", PROJECT.contracts)
        conditions = [rule.sql("duckdb") for rule in contract.row_rules()]
        kept = ", ".join(f"coalesce(bool_and({condition}), true)" for condition in conditions)
        assert all(rows(database, f"SELECT {kept} FROM operational.{name}")[0]), conditions
