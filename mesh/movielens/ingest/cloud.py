"""A delivery in Cloud Storage, fetched into a folder: its lines are checked as any other's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from mesh.errors import WrongUse
from mesh.files.scratch import scratch
from mesh.movielens.ingest.progress import Observer, Step
from mesh.movielens.ingest.source import check_room, table_path

if TYPE_CHECKING:
    import google.cloud.storage as storage

SCHEME = "gs://"
_URL = re.compile(r"gs://(?P<bucket>[a-z0-9][a-z0-9._-]{1,220}[a-z0-9])(?:/(?P<prefix>.*))?")
PIECE = 1 << 24


@dataclass(frozen=True)
class Place:
    """A bucket and the prefix of the delivery in it, which ends in '/' or is a .zip or empty."""

    bucket: str
    prefix: str

    def __str__(self) -> str:
        return f"{SCHEME}{self.bucket}/{self.prefix}"


def is_cloud(source: object) -> bool:
    """Whether a source is named as one in Cloud Storage."""
    return str(source).startswith(SCHEME)


def place_of(url: str) -> Place:
    """Bucket and prefix of a gs:// URL. Raises WrongUse when it is none."""
    match = _URL.fullmatch(url)
    if match is None:
        raise WrongUse(f"{url} names no bucket.", fix="Write gs://bucket/prefix.")
    prefix = (match["prefix"] or "").strip("/")
    place = Place(match["bucket"], prefix)
    return place if not prefix or _zipped(place) else Place(place.bucket, f"{prefix}/")


@contextmanager
def fetched(url: str, observer: Observer) -> Iterator[Path]:
    """A local folder (or .zip) with the files of the delivery; it is gone afterwards.

    Raises WrongUse when there is no delivery under the prefix, or no room for it here.
    """
    from mesh.bigquery import explained

    place = place_of(url)
    with scratch("mesh-cloud") as work:
        with explained():
            blobs = _blobs(_client(), place)
            _download(place, blobs, work, observer)
        yield work / PurePosixPath(place.prefix).name if _zipped(place) else work


def _client() -> storage.Client:
    """With the credentials that BigQuery gets."""
    import google.cloud.storage as storage

    from mesh.bigquery.connection import credentials, warehouse

    here = warehouse()
    return storage.Client(project=here.project, credentials=credentials(here))


def _zipped(place: Place) -> bool:
    return place.prefix.lower().endswith(".zip")


def _blobs(client: storage.Client, place: Place) -> list[storage.Blob]:
    """The files of the three tables under the prefix, or the one .zip."""
    found = list(client.list_blobs(place.bucket, prefix=place.prefix))
    if _zipped(place):
        chosen = [blob for blob in found if blob.name == place.prefix]
    else:
        chosen = [blob for blob in found if _wanted(blob.name[len(place.prefix) :])]
    if not chosen:
        raise WrongUse(
            f"there are no files of movies, ratings or tags under {place}.",
            fix="Give the prefix under which movies.csv, ratings.csv and tags.csv lie.",
        )
    return chosen


def _wanted(name: str) -> bool:
    """Whether a name under the prefix is a table's file; never one that leads elsewhere."""
    return not name.startswith("/") and ".." not in name.split("/") and bool(table_path(name))


def _download(place: Place, blobs: list[storage.Blob], folder: Path, observer: Observer) -> None:
    whole, done = sum(blob.size or 0 for blob in blobs), 0
    check_room(place, whole, folder)
    for blob in blobs:
        name = blob.name[len(place.prefix) :] or PurePosixPath(blob.name).name
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        with blob.open("rb", chunk_size=PIECE) as remote, target.open("wb") as local:
            while piece := remote.read(PIECE):
                local.write(piece)
                done += len(piece)
                observer(Step(f"fetching {name}", done / (whole or 1)))
