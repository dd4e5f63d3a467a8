"""What BigQuery, Google's login and the state database refuse, as one sentence each.

SQLMesh wraps what happened in errors of its own, so the whole chain of causes is looked at. The
sentences say what is wrong and what to do; Google's own text follows where it names the thing.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from mesh.errors import CheckFailed, MeshError, WrongUse

RERUN = "Nothing was half-published: run the same command again."


@dataclass(frozen=True)
class Meaning:
    """One kind of failure. applies: whether an error is of that kind. say: message and fix."""

    id: str
    applies: Callable[[BaseException, str], bool]
    say: Callable[[str], MeshError]


@contextmanager
def explained() -> Iterator[None]:
    """Raise what is meant instead of what Google's client raises; all else passes unchanged."""
    try:
        yield
    except MeshError:
        raise
    except Exception as error:
        meant = explanation(error)
        if meant is None:
            raise
        raise meant from error


def explanation(error: BaseException) -> MeshError | None:
    """The failure in words, or None when it is of no kind that is known here."""
    for each in _chain(error):
        text = " ".join(str(each).split())
        for meaning in MEANINGS:
            if meaning.applies(each, text):
                return meaning.say(_reason(text))
    return None


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and all its causes, the outermost first, also those that SQLMesh collects."""
    todo, seen = [error], set()
    while todo:
        each = todo.pop(0)
        if id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        inner = [each.__cause__, each.__context__, *getattr(each, "errors_by_node", {}).values()]
        inner += [argument for argument in each.args if isinstance(argument, BaseException)]
        todo += [cause for cause in inner if isinstance(cause, BaseException)]


def _reason(text: str) -> str:
    """Google's sentence without the request in front of it and the job's coordinates behind it."""
    text = re.sub(r"^\d{3} (?:(?:GET|POST|PUT|PATCH|DELETE) \S+: )?", "", text)
    text = re.split(r"; reason: | Location: | Job ID: |, Job ID: ", text)[0]
    return text.strip().rstrip(".")


def _named(*names: str) -> Callable[[BaseException, str], bool]:
    """Whether the error is of a class with one of these names, of any module."""

    def applies(error: BaseException, text: str) -> bool:
        return any(kind.__name__ in names for kind in type(error).__mro__)

    return applies


def _google(*words: str, names: tuple[str, ...] = ()) -> Callable[[BaseException, str], bool]:
    """Whether Google's API answered with one of these words, in an error of these classes."""
    pattern = re.compile("|".join(words), re.IGNORECASE)

    def applies(error: BaseException, text: str) -> bool:
        classes = {kind.__name__ for kind in type(error).__mro__}
        answered = "GoogleAPICallError" in classes
        return answered and (not names or bool(classes & set(names))) and bool(pattern.search(text))

    return applies


def _postgres(*words: str) -> Callable[[BaseException, str], bool]:
    pattern = re.compile("|".join(words), re.IGNORECASE)

    def applies(error: BaseException, text: str) -> bool:
        ours = any(kind.__module__.startswith("psycopg2") for kind in type(error).__mro__)
        return ours and bool(pattern.search(text))

    return applies


def _says(*words: str) -> Callable[[BaseException, str], bool]:
    pattern = re.compile("|".join(words), re.IGNORECASE)
    return lambda error, text: bool(pattern.search(text))


def _state() -> str:
    if not os.environ.get("MESH_BIGQUERY_PROJECT"):
        return "SQLMesh's state"
    host = os.environ.get("MESH_STATE_HOST") or "127.0.0.1"
    port = os.environ.get("MESH_STATE_PORT") or "5432"
    database = os.environ.get("MESH_STATE_DATABASE") or "mesh_state"
    return f"the state database {database} on {host}:{port}"


def _wrong(message: str, fix: str) -> Callable[[str], MeshError]:
    return lambda reason: WrongUse(message.format(reason=reason, state=_state()), fix=fix)


def _failed(message: str, fix: str) -> Callable[[str], MeshError]:
    return lambda reason: CheckFailed(message.format(reason=reason, state=_state()), fix=fix)


# The first that applies counts: the narrow ones stand before the wide ones.
MEANINGS = (
    Meaning(
        "no-credentials",
        _named("DefaultCredentialsError"),
        _wrong(
            "there are no Google credentials on this machine.",
            "Run `gcloud auth application-default login`, or let GOOGLE_APPLICATION_CREDENTIALS "
            "name a key file.",
        ),
    ),
    Meaning(
        "credentials-refused",
        _named("RefreshError"),
        _wrong(
            "Google refuses the credentials: {reason}.",
            "Log in again with `gcloud auth application-default login`; to act as a service "
            "account you need the role Service Account Token Creator on it.",
        ),
    ),
    Meaning(
        "bytes-limit",
        _google("bytesBilledLimitExceeded", "limit for bytes billed"),
        _failed(
            "a query would scan more than MESH_BIGQUERY_MAXIMUM_BYTES_BILLED allows, and was not "
            "run: {reason}.",
            "See `mesh cost`; raise the limit if the query is meant.",
        ),
    ),
    Meaning(
        "quota",
        _google("quotaExceeded", "quota exceeded", "rateLimitExceeded", "exceeded rate limits"),
        _failed("a quota of BigQuery is exceeded: {reason}.", f"Wait a while. {RERUN}"),
    ),
    Meaning(
        "wrong-project",
        _google(
            r"project .*(not found|does not exist|has not enabled)",
            "invalid project id",
            r"unknown project",
            r"has not been used in project",
            r"bigquery\.jobs\.create",
        ),
        _wrong(
            "the project in MESH_BIGQUERY_PROJECT cannot be used: {reason}.",
            "Check its name, that BigQuery is enabled there, and that you have the role BigQuery "
            "Job User.",
        ),
    ),
    Meaning(
        "no-bucket",
        _google("bucket does not exist"),
        _wrong("there is no such bucket: {reason}.", "Check the name behind gs://."),
    ),
    Meaning(
        "bucket-forbidden",
        _google(r"storage\.(objects|buckets)\."),
        _wrong(
            "the bucket may not be read: {reason}.",
            "Ask for the role Storage Object Viewer on it.",
        ),
    ),
    Meaning(
        "forbidden",
        _google("", names=("Forbidden",)),
        _wrong(
            "a permission is missing: {reason}.",
            "Ask for the role BigQuery Data Editor on that dataset; infra/ says who has it.",
        ),
    ),
    Meaning(
        "wrong-location",
        _google(r"not found in location", r"processed in location"),
        _wrong(
            "the data lies in another location than MESH_BIGQUERY_LOCATION says: {reason}.",
            "Set it to where the datasets were made.",
        ),
    ),
    Meaning(
        "ingest-overtaken",
        _google("mesh: another ingest", "concurrent update"),
        _failed(
            "another ingest published while this one ran, and this one was undone.",
            "Run it again, after the other.",
        ),
    ),
    Meaning(
        "two-plans",
        _named("ConflictingPlanError"),
        _failed(
            "another plan changed this environment while this one ran, and this one was not "
            "applied: {reason}.",
            "Run it again: it will take the other into account.",
        ),
    ),
    Meaning(
        "state-version",
        _says(r"\(local\) is using .*version"),
        _wrong(
            "{state} belongs to another version of SQLMesh: {reason}.",
            "Install the version in requirements.txt, or, once everybody has it, run "
            "`sqlmesh --gateway bigquery migrate`.",
        ),
    ),
    Meaning(
        "two-plans-state",
        _postgres("could not serialize", "deadlock detected", "duplicate key"),
        _failed(
            "another command wrote to {state} at the same moment.",
            "Wait until it is done. " + RERUN,
        ),
    ),
    Meaning(
        "state-refused",
        _postgres("password authentication failed", "role .* does not exist", "no pg_hba"),
        _wrong("{state} refuses the login.", "Check MESH_STATE_USER and MESH_STATE_PASSWORD."),
    ),
    Meaning(
        "state-missing",
        _postgres("database .* does not exist"),
        _wrong("{state} does not exist.", "Create it, or check MESH_STATE_DATABASE."),
    ),
    Meaning(
        "state-unreachable",
        lambda error, text: (
            _named("OperationalError", "InterfaceError")(error, text) and _postgres("")(error, text)
        ),
        _wrong(
            "{state} cannot be reached.",
            "Check that it runs and that MESH_STATE_HOST and MESH_STATE_PORT are right. " + RERUN,
        ),
    ),
    Meaning(
        "network",
        _named(
            "TransportError",
            "RetryError",
            "ServiceUnavailable",
            "GatewayTimeout",
            "BadGateway",
            "InternalServerError",
            "ConnectionError",
            "Timeout",
        ),
        _failed("the connection to BigQuery was lost.", "Check the network. " + RERUN),
    ),
    Meaning(
        "refused",
        _google(""),
        _failed("BigQuery refuses: {reason}.", "`mesh contracts prove` names model and line."),
    ),
)
