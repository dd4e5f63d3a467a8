"""The real file formats: a header, `\\r\\n` line ends, ratings as 4.0, quotes only where needed."""

from __future__ import annotations

import csv
import errno
import io
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv

from mesh.errors import Location, WrongUse
from mesh.movielens import GENERATED_MARK
from mesh.movielens.generate.activity import Ratings
from mesh.movielens.generate.catalogue import Catalogue
from mesh.movielens.generate.tagging import Tags, Vocabulary

HEADERS = {
    GENERATED_MARK: b"Made by mesh generate: nobody and nothing in these files is real.\r\n",
    "movies.csv": b"movieId,title,genres\r\n",
    "ratings.csv": b"userId,movieId,rating,timestamp\r\n",
    "tags.csv": b"userId,movieId,tag,timestamp\r\n",
}
BYTES_PER_USER = 4_700
_UNFINISHED = ".unfinished"
_STARS = pa.array([f"{half / 2:.1f}" for half in range(11)])
_PLAIN = pacsv.WriteOptions(include_header=False, quoting_style="none")


def movie_lines(catalogue: Catalogue) -> bytes:
    """The lines of movies.csv, without the header."""
    return _quoted(zip(catalogue.ids.tolist(), catalogue.titles, catalogue.genres, strict=True))


def rating_lines(ratings: Ratings, ids: np.ndarray) -> bytes:
    """Lines of ratings.csv. ids: int64, the movie id at each index of the catalogue."""
    table = pa.table(
        {
            "userId": ratings.user + 1,
            "movieId": ids[ratings.movie],
            "rating": _STARS.take(pa.array(ratings.half_stars)),
            "timestamp": ratings.seconds,
        }
    )
    sink = pa.BufferOutputStream()
    pacsv.write_csv(table, sink, _PLAIN)
    return sink.getvalue().to_pybytes().replace(b"\n", b"\r\n")


def tag_lines(tags: Tags, ids: np.ndarray, vocabulary: Vocabulary) -> bytes:
    """Lines of tags.csv. ids: int64, the movie id at each index of the catalogue."""
    texts = [vocabulary.texts[i] for i in tags.tag.tolist()]
    user, movie = (tags.user + 1).tolist(), ids[tags.movie].tolist()
    return _quoted(zip(user, movie, texts, tags.seconds.tolist(), strict=True))


def _quoted(rows: Iterator[tuple[object, ...]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()


def prepare_folder(out: Path, users: int, force: bool) -> None:
    """Make the folder and see to it that the files fit in.

    Raises WrongUse when it is a file, holds files already (unless `force`), may not be written
    to, or when its disk has too little room.
    """
    try:
        if out.exists() and not out.is_dir():
            raise WrongUse(
                "is a file, not a folder.", where=Location(out), fix="Give another --out."
            )
        if out.is_dir() and any(out.iterdir()) and not force:
            raise WrongUse(
                "the folder is not empty.",
                where=Location(out),
                fix="Give an empty or new folder, or --force to replace the three files in it.",
            )
        out.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(out).free
    except OSError as error:
        raise _unwritable(out, error) from error
    needed = users * BYTES_PER_USER
    if free < needed:
        raise WrongUse(
            f"{users:,} users take about {needed / 1e6:,.0f} MB, {free / 1e6:,.0f} MB are free.",
            where=Location(out),
            fix="Make room, choose another disk with --out, or fewer --users.",
        )


def _unwritable(path: Path, error: OSError) -> WrongUse:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return WrongUse(
            "the disk is full; nothing was kept.",
            where=Location(path),
            fix="Make room, choose another disk with --out, or fewer --users.",
        )
    return WrongUse(
        f"cannot be written: {error.strerror or error}.",
        where=Location(path),
        fix="Choose a folder that you may write to with --out.",
    )


@contextmanager
def replaced_together(out: Path) -> Iterator[dict[str, BinaryIO]]:
    """The three files, opened and with their headers; they appear only when all are complete.

    Raises WrongUse when the disk is full or refuses; the files that stood there then stay.
    """
    unfinished = {name: out / f"{name}{_UNFINISHED}" for name in HEADERS}
    files: dict[str, BinaryIO] = {}
    try:
        for name, path in unfinished.items():
            files[name] = path.open("wb")
            files[name].write(HEADERS[name])
        yield files
        for file in files.values():
            file.close()
        for name, path in unfinished.items():
            path.replace(out / name)
    except OSError as error:
        raise _unwritable(out, error) from error
    finally:
        for file in files.values():
            # The full disk that ended the run refuses the last buffer again; that is reported once.
            with suppress(OSError):
                file.close()
        for path in unfinished.values():
            path.unlink(missing_ok=True)
