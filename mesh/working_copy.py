"""Writing to the local database while others read it: on a copy, which then takes its place.

DuckDB lets many processes read a file, or one write it. A dashboard must not stop the operator, so
a command that writes works on a copy when others read. Readers keep the file that they opened. The
copy is moved over it in one step, so that whoever opens it finds all of the command's work or none.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import duckdb

from mesh.console import err
from mesh.database import HELD, OPENING, cannot_open, check_lasts, let_go
from mesh.errors import Location, MeshError, WrongUse
from mesh.project import Project, from_here, real, written_to


@contextmanager
def writing(project: Project, gateway: str | None = None) -> Iterator[Callable[[], None]]:
    """Around the work of a command that writes to the local database, and around it alone.

    `project.database` is within where to write. WrongUse if another process writes.
    If the command fails while others read, the database stays as it was, byte for byte.

    Given is what says where it writes, to be called once it is known that it will: what was asked
    for in vain writes nothing.
    """
    if project.is_on_bigquery(gateway):
        warehouse = project.connection(gateway).get("project")
        tell = _once(f"Writes to {warehouse} on BigQuery." if warehouse else "")
        yield tell
        tell()
        return
    database = real(project.database)
    check_lasts(database)
    with _alone(database):
        copy = working_copy(database)
        _remove(copy)
        others = list(map(real, project.databases.values()))[1:]
        tell = _once(
            f"Writes to {', '.join(str(from_here(path)) for path in (database, *others))}."
        )
        # Two files cannot be moved in one step.
        if not _others_read(database, may_copy=not others):
            with _settled(database):
                yield tell
            tell()
            return
        try:
            with _copied(database, copy), _settled(copy):
                yield tell
            tell()
        finally:
            _remove(copy)


def _once(text: str) -> Callable[[], None]:
    """What says this the first time that it is called."""
    left = [text] if text else []

    def tell() -> None:
        if left:
            err.print(left.pop(), markup=False)

    return tell


def working_copy(database: Path) -> Path:
    """Where the copy of a database lies: beside it, so that it can be moved over it."""
    return database.with_name(f"{database.stem}.working{database.suffix}")


def log_of(database: Path) -> Path:
    """DuckDB's write-ahead log: changes that are not in the file yet."""
    return Path(f"{database}.wal")


@contextmanager
def _alone(database: Path) -> Iterator[None]:
    """Keep other commands that write away; WrongUse if there is one."""
    path = Path(f"{database}.lock")
    while True:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            lock = path.open("a+", encoding="ascii")
        except OSError as error:
            raise cannot_open(database, error) from error
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                lock.seek(0)
                process = lock.read().strip()
                raise WrongUse(
                    f"{f'process {process}' if process else 'another process'} is writing to the "
                    "database.",
                    where=Location(database),
                    fix="Wait until that `mesh` command is done, and try again.",
                ) from error
            if not path.exists() or os.fstat(lock.fileno()).st_ino != path.stat().st_ino:
                continue  # Its holder removed it meanwhile.
            try:
                lock.truncate(0)
                lock.write(str(os.getpid()))
                lock.flush()
                yield
            finally:
                path.unlink(missing_ok=True)
            return


def _others_read(database: Path, *, may_copy: bool) -> bool:
    """Whether other processes only read it; WrongUse if it cannot be used."""
    if not database.exists():
        return False
    try:
        duckdb.connect(str(database), config=OPENING).close()
    except (duckdb.ConnectionException, duckdb.BinderException):
        return False  # This process has it open.
    except duckdb.Error as error:
        if HELD in str(error) and may_copy:
            with suppress(duckdb.Error):
                duckdb.connect(str(database), read_only=True, config=OPENING).close()
                return True
        raise cannot_open(database, error) from error
    return False


@contextmanager
def _copied(database: Path, copy: Path) -> Iterator[None]:
    """Let `mesh` use the copy of the database within, and then move it over the database."""
    if log_of(database).exists() and log_of(database).stat().st_size:
        raise WrongUse(
            "a process that was killed left changes beside the database, in "
            f"{log_of(database).name}, and others read it.",
            where=Location(database),
            fix="Close what reads it (notebooks, dashboards) once, and try again.",
        )
    with ExitStack() as held:
        before = _stamp(database)
        try:
            shutil.copyfile(database, copy)
            shutil.copymode(database, copy)
        except OSError as error:
            raise WrongUse(
                "others read the database, and the copy to write to cannot be made: "
                f"{error.strerror}.",
                where=Location(copy),
                fix="Make room, or close what reads the database, and try again.",
            ) from error
        # From here on nobody can write to it. Not before: a process that closes a file, as the
        # copying did, lets go of its locks on it.
        try:
            reader = duckdb.connect(str(database), read_only=True, config=OPENING)
        except duckdb.Error as error:
            raise cannot_open(database, error) from error
        held.enter_context(reader)
        if _stamp(database) != before:
            raise WrongUse(
                "the database was written to while it was copied.",
                where=Location(database),
                fix="Try again.",
            )
        with _named(copy, database):
            yield
        if log_of(copy).exists():
            raise WrongUse(
                "the copy that was written to is still in use, so nothing was changed.",
                where=Location(database),
                fix="Close what reads the database, and try again.",
            )
        _sync(copy)
        copy.replace(database)
        _sync(database.parent)


@contextmanager
def _named(copy: Path, database: Path) -> Iterator[None]:
    """Let the project name the copy, and errors the database."""
    try:
        with written_to(copy, database):
            yield
    except MeshError as error:
        if error.where and error.where.path == copy:
            error.where = Location(database)
        raise


@contextmanager
def _settled(database: Path) -> Iterator[None]:
    """Leave no connection of SQLMesh's and no write-ahead log behind."""
    try:
        yield
    except BaseException:
        with suppress(Exception):
            _settle(database)
        raise
    _settle(database)


def _settle(database: Path) -> None:
    let_go()
    if log_of(database).exists():
        with suppress(duckdb.Error), duckdb.connect(str(database), config=OPENING) as connection:
            connection.execute("CHECKPOINT")


def _stamp(database: Path) -> tuple[int, int, int, bool]:
    """What changes when somebody writes to the database."""
    stat = database.stat()
    return stat.st_ino, stat.st_size, stat.st_mtime_ns, log_of(database).exists()


def _sync(path: Path) -> None:
    """Have the disk keep a file, or the names in a folder."""
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def _remove(copy: Path) -> None:
    """What an earlier command left when it was killed."""
    for path in (copy, log_of(copy)):
        path.unlink(missing_ok=True)
    shutil.rmtree(f"{copy}.tmp", ignore_errors=True)
