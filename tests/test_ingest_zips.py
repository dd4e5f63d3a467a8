"""`mesh ingest` of zips: as people make them, damaged, and made to do harm."""

from __future__ import annotations

import os
import random
import shutil
import stat
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest

from mesh.errors import WrongUse
from mesh.movielens.ingest import ingest, source
from tests.deliveries import NOW, refused
from tests.whole_sources import CSVS, TEXTS, zipped


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "mesh.duckdb"


@pytest.mark.parametrize(
    "name",
    [
        "MovieLens\\ml-25m\\{}.csv",
        "a/b/c/{}.csv",
        "ml/{}.CSV",
        "ML-LATEST/{title}.csv",
        "{singular}.csv",
    ],
)
def test_zips_are_read_as_people_make_them(tmp_path, database, name):
    entries = {
        name.format(table, title=table.upper(), singular=table[:-1]): text
        for table, text in TEXTS.items()
    }
    path = zipped(tmp_path / "in.zip", {"__MACOSX/ml/._ratings.csv": "x", "links.csv": "y"})
    with zipfile.ZipFile(path, "a") as packed:
        for entry, text in entries.items():
            # Python writes other separators than Windows' own tools do.
            (info := zipfile.ZipInfo("x")).filename = entry
            packed.writestr(info, text)
    assert ingest(path, database=database, now=NOW).lines_loaded == 3


@pytest.mark.parametrize("name", ["ratings.csv", "notes.txt"])
def test_a_file_that_is_no_zip(tmp_path, database, name):
    path = tmp_path / name
    path.write_text(TEXTS["ratings"])
    assert "this is not a zip file, or it is cut off or damaged." in refused(path, database)


def test_a_zip_that_is_cut_off(tmp_path, database):
    path = zipped(tmp_path / "in.zip", CSVS)
    path.write_bytes(path.read_bytes()[:-30])
    assert "this is not a zip file, or it is cut off or damaged." in refused(path, database)


def test_a_zip_with_damaged_contents(tmp_path, database):
    path = zipped(tmp_path / "in.zip", {**CSVS, "ratings.csv": os.urandom(5000)})
    data = bytearray(path.read_bytes())
    for position in range(300, 2000, 7):
        data[position] ^= 0xFF
    path.write_bytes(data)
    assert "this is not a zip file, or it is cut off or damaged." in refused(path, database)


def test_a_zip_with_damage_anywhere_is_read_or_refused_in_one_sentence(tmp_path, database):
    whole = zipped(tmp_path / "in.zip", CSVS).read_bytes()
    chance = random.Random(9)
    for _ in range(150):
        data = bytearray(whole)
        for _ in range(chance.randint(1, 6)):
            position = len(data) - 1 - chance.randrange(220)
            data[position] = chance.choice([0, 255, chance.randrange(256)])
        (tmp_path / "in.zip").write_bytes(data)
        with suppress(WrongUse), source.open_source(tmp_path / "in.zip"):
            pass


def test_a_zip_whose_directory_is_damaged_inside_an_entry(tmp_path, database):
    extra = zipfile.ZipInfo("ratings.csv")
    extra.extra = b"\x01\x00\x04\x00abcd"
    path = tmp_path / "in.zip"
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr(extra, TEXTS["ratings"])
    data = bytearray(path.read_bytes())
    at = data.rfind(b"PK\x01\x02")
    data[at + 20 : at + 28] = b"\xff" * 8
    path.write_bytes(data)
    assert "this is not a zip file, or it is cut off or damaged." in refused(path, database)


def test_an_empty_zip(tmp_path, database):
    assert "are missing (also as .parquet)." in refused(zipped(tmp_path / "in.zip", {}), database)


@pytest.mark.parametrize(
    "name", ["../evil.csv", "/etc/evil", "a/../../evil", "..\\evil", "C:\\evil"]
)
def test_a_zip_entry_that_points_outside(tmp_path, database, name):
    path = zipped(tmp_path / "in.zip", {**CSVS, name: "x"})
    message = refused(path, database)
    assert "points outside the zip." in message
    assert not any(found.name.startswith("evil") for found in tmp_path.rglob("*"))


def test_a_zip_entry_that_is_a_link(tmp_path, database):
    path = tmp_path / "in.zip"
    with zipfile.ZipFile(path, "w") as packed:
        link = zipfile.ZipInfo("ratings.csv")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        packed.writestr(link, "/etc/passwd")
    assert "points outside the zip." in refused(path, database)


def test_names_in_a_zip_steer_no_terminal(tmp_path, database):
    name = "\x1b]0;title\x07\n::error::x"
    path = zipped(tmp_path / "in.zip", {**CSVS, f"{name}/movies.csv": "y"})
    told = refused(path, database)
    assert "movies.csv and ␛]0;title␇␊::error::x/movies.csv. Leave" in told
    other = {"movies.csv": TEXTS["movies"], f"ratings/{name[-1]}\x1b.parquet": "x"}
    path = zipped(tmp_path / "other.zip", {**other, "tags.csv": TEXTS["tags"]})
    told = refused(path, database)
    assert "/ratings/x␛.parquet: this is not a Parquet file" in told


def test_an_encrypted_zip(tmp_path, database):
    path = zipped(tmp_path / "in.zip", CSVS)
    data = bytearray(path.read_bytes())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        position = data.find(mark)
        while position >= 0:
            data[position + offset] |= 1
            position = data.find(mark, position + 4)
    path.write_bytes(data)
    assert "the zip is encrypted (movies.csv)." in refused(path, database)


def test_a_zip_with_a_file_twice(tmp_path, database):
    path = zipped(tmp_path / "in.zip", {**CSVS, "old/movies.csv": TEXTS["movies"]})
    message = refused(path, database)
    assert "the zip holds movies.csv twice: movies.csv and old/movies.csv." in message


def test_a_zip_that_unpacks_to_far_more_than_it_holds(tmp_path, database, monkeypatch):
    monkeypatch.setattr(source, "EXPANSION_MATTERS", 10_000)
    path = zipped(tmp_path / "in.zip", {**CSVS, "tags.csv": TEXTS["tags"] + "0" * 100_000})
    message = refused(path, database)
    assert "the zip entry 'tags.csv' unpacks to 100,047 bytes, more than 200 times" in message


def test_a_zip_that_needs_more_room_than_there_is(tmp_path, database, monkeypatch):
    usage = shutil.disk_usage(tmp_path)._replace(free=10)
    monkeypatch.setattr(source.shutil, "disk_usage", lambda _path: usage)
    message = refused(zipped(tmp_path / "in.zip", CSVS), database)
    assert "only 10 are free" in message
