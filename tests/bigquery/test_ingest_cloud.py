"""`mesh ingest gs://…`: the files are fetched, and then they are a delivery like any other."""

from __future__ import annotations

import io
from dataclasses import dataclass

import pytest

from mesh.errors import MeshError, WrongUse
from mesh.movielens.ingest import cloud, ingest

FILES = {
    "movies.csv": "movieId,title,genres\n1,Heat (1995),Action\n",
    "ratings.csv": "userId,movieId,rating,timestamp\n1,1,4.0,1000000000\n",
    "tags.csv": "userId,movieId,tag,timestamp\n",
}


@dataclass(frozen=True)
class Blob:
    name: str
    data: bytes

    @property
    def size(self) -> int:
        return len(self.data)

    def open(self, mode: str, chunk_size: int) -> io.BytesIO:
        return io.BytesIO(self.data)


class Bucket:
    """Stands for Cloud Storage: the emulator has no service for reading it."""

    def __init__(self, files: dict[str, str]) -> None:
        self.files = files

    def list_blobs(self, bucket: str, prefix: str) -> list[Blob]:
        found = {name: text for name, text in self.files.items() if name.startswith(prefix)}
        return [Blob(name, text.encode()) for name, text in found.items()]


@pytest.fixture
def bucket(monkeypatch):
    def fill(files: dict[str, str]) -> None:
        monkeypatch.setattr(cloud, "_client", lambda: Bucket(files))

    return fill


def test_a_delivery_in_the_cloud_goes_by_its_url(bucket, tmp_path):
    others = {"new/notes.txt": "x", "new/../movies.csv": "x", "newer/ratings.csv": "x"}
    bucket({f"new/{name}": text for name, text in FILES.items()} | others)
    steps = []
    result = ingest("gs://films/new", database=tmp_path / "mesh.duckdb", observer=steps.append)
    assert (result.lines_loaded, result.source) == (2, "gs://films/new")
    fetched = [step for step in steps if step.what.startswith("fetching")]
    assert fetched[-1].done == 1.0
    again = ingest("gs://films/new/", database=tmp_path / "mesh.duckdb")
    assert again.nothing_changed


def test_a_prefix_without_a_delivery_is_named(bucket, tmp_path):
    bucket({"old/movies.csv": "x"})
    with pytest.raises(WrongUse, match="no files of movies, ratings or tags under gs://films/new/"):
        ingest("gs://films/new", database=tmp_path / "mesh.duckdb")


def test_a_file_that_is_missing_in_the_cloud_is_named_by_its_url(bucket, tmp_path):
    bucket({"new/movies.csv": FILES["movies.csv"], "new/ratings.csv": FILES["ratings.csv"]})
    with pytest.raises(WrongUse, match=r"^gs://films/new: tags\.csv is missing"):
        ingest("gs://films/new", database=tmp_path / "mesh.duckdb")


def test_a_header_that_is_wrong_in_the_cloud_is_named_by_its_url(bucket, tmp_path):
    bucket({f"new/{name}": text for name, text in FILES.items()} | {"new/tags.csv": "a,b\n1,2\n"})
    with pytest.raises(MeshError, match=r"^gs://films/new/tags\.csv:1: the header is 'a,b'"):
        ingest("gs://films/new", database=tmp_path / "mesh.duckdb")


@pytest.mark.parametrize("url", ["gs://", "gs:///new", "gs://Bad Bucket/new"])
def test_a_url_without_a_bucket_is_refused(url, tmp_path):
    with pytest.raises(WrongUse, match=r"names no bucket\. Write gs://bucket/prefix"):
        ingest(url, database=tmp_path / "mesh.duckdb")
