"""What BigQuery, Google's login and the state database refuse, as one sentence each.

SQLMesh wraps what happened in errors of its own, so the whole chain of causes is looked at. The
sentences say what is wrong and what to do; Google's own text follows where it names the thing.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from mesh.errors import CheckFailed, MeshError, WrongUse, causes

RERUN = "Nothing was half-published: run the same command again."


@dataclass(frozen=True)
class Meaning:
    """One kind of failure, by the classes of the error and by words in it.

    message: may hold {reason}, Google's own words, and {state}, the state database. classes: one of
    these names, behind its package or without; of any class if there are none. says: a pattern.
    """

    id: str
    raised: type[MeshError]
    message: str
    fix: str
    classes: tuple[str, ...] = ()
    says: str = ""

    def applies(self, error: BaseException, text: str) -> bool:
        kinds = type(error).__mro__
        names = {f"{kind.__module__.partition('.')[0]}.{kind.__name__}" for kind in kinds}
        names |= {kind.__name__ for kind in kinds}
        is_one = not self.classes or not names.isdisjoint(self.classes)
        return is_one and bool(re.search(self.says, text, re.IGNORECASE))


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
    for each in causes(error):
        text = " ".join(str(each).split())
        for meaning in MEANINGS:
            if meaning.applies(each, text):
                said = meaning.message.format(reason=_reason(text), state=_state())
                return meaning.raised(said, fix=meaning.fix)
    return None


def _reason(text: str) -> str:
    """Google's sentence without the request in front of it and the job's coordinates behind it."""
    # Of some errors Google gives the cause beside the sentence.
    text = re.sub(r"^\(['\"](.+?)['\"], .*\)$", r"\1", text)
    text = re.sub(r"^\d{3} (?:(?:GET|POST|PUT|PATCH|DELETE) \S+: )?", "", text)
    text = re.split(r"; reason: | Location: | Job ID: |, Job ID: ", text)[0]
    return text.strip().rstrip(".")


def _state() -> str:
    if not os.environ.get("MESH_BIGQUERY_PROJECT"):
        return "SQLMesh's state"
    host = os.environ.get("MESH_STATE_HOST") or "127.0.0.1"
    port = os.environ.get("MESH_STATE_PORT") or "5432"
    database = os.environ.get("MESH_STATE_DATABASE") or "mesh_state"
    return f"the state database {database} on {host}:{port}"


GOOGLE, POSTGRES = ("google.GoogleAPICallError",), ("psycopg2.Error",)
# The first that applies counts: the narrow ones stand before the wide ones.
MEANINGS = (
    Meaning(
        "credentials-file",
        WrongUse,
        "GOOGLE_APPLICATION_CREDENTIALS names no key: {reason}.",
        "Let it name the file of one, or log in with `gcloud auth application-default login`.",
        ("DefaultCredentialsError",),
        r"file .* (was not found|is not a valid json|does not have a valid type)|credentials from",
    ),
    Meaning(
        "no-credentials",
        WrongUse,
        "there are no Google credentials on this machine.",
        "Run `gcloud auth application-default login`, or let GOOGLE_APPLICATION_CREDENTIALS "
        "name a key file.",
        ("DefaultCredentialsError",),
    ),
    Meaning(
        "credentials-refused",
        WrongUse,
        "Google refuses the credentials: {reason}.",
        "Log in again with `gcloud auth application-default login`; to act as a service "
        "account you need the role Service Account Token Creator on it.",
        ("RefreshError",),
    ),
    Meaning(
        "bytes-limit",
        CheckFailed,
        "a query would scan more than the most that may be billed, and was not run: {reason}.",
        "See `mesh cost`; raise the gateway's `maximum_bytes_billed` if the query is meant.",
        GOOGLE,
        "bytesBilledLimitExceeded|limit for bytes billed",
    ),
    Meaning(
        "quota",
        CheckFailed,
        "a quota of BigQuery is exceeded: {reason}.",
        f"Wait a while. {RERUN}",
        GOOGLE,
        "quotaExceeded|quota exceeded|rateLimitExceeded|exceeded rate limits",
    ),
    Meaning(
        "wrong-project",
        WrongUse,
        "the Google project of the gateway cannot be used: {reason}.",
        "Check its name, that BigQuery is enabled there, and that you have the role BigQuery "
        "Job User.",
        GOOGLE,
        r"project .*(not found|does not exist|has not enabled)|invalid project id|unknown project"
        r"|has not been used in project|bigquery\.jobs\.create",
    ),
    Meaning(
        "no-bucket",
        WrongUse,
        "there is no such bucket: {reason}.",
        "Check the name behind gs://.",
        GOOGLE,
        "bucket does not exist",
    ),
    Meaning(
        "bucket-forbidden",
        WrongUse,
        "the bucket may not be read: {reason}.",
        "Ask for the role Storage Object Viewer on it.",
        GOOGLE,
        r"storage\.(objects|buckets)\.",
    ),
    Meaning(
        "forbidden",
        WrongUse,
        "a permission is missing: {reason}.",
        "Ask for the role BigQuery Data Editor on that dataset.",
        ("google.Forbidden",),
    ),
    Meaning(
        "wrong-location",
        WrongUse,
        "BigQuery finds nothing there: {reason}.",
        "If it is there, it lies in another location than the gateway's `location` says; a table "
        "of an environment that is gone is built again by `sqlmesh plan`.",
        GOOGLE,
        "not found in location|processed in location",
    ),
    Meaning(
        "ingest-overtaken",
        CheckFailed,
        "another ingest published while this one ran, and this one was undone.",
        "Run it again, after the other.",
        GOOGLE,
        "mesh: another ingest|concurrent update",
    ),
    Meaning(
        "two-plans",
        CheckFailed,
        "another plan changed this environment while this one ran, and this one was not "
        "applied: {reason}.",
        "Run it again: it will take the other into account.",
        ("ConflictingPlanError",),
    ),
    Meaning(
        "state-version",
        WrongUse,
        "{state} belongs to another version of SQLMesh: {reason}.",
        "Install the version in requirements.txt, or, once everybody has it, run "
        "`sqlmesh --gateway bigquery migrate`.",
        says=r"\(local\) is using .*version",
    ),
    Meaning(
        "two-plans-state",
        CheckFailed,
        "another command wrote to {state} at the same moment.",
        f"Wait until it is done. {RERUN}",
        POSTGRES,
        "could not serialize|deadlock detected|duplicate key",
    ),
    Meaning(
        "state-refused",
        WrongUse,
        "{state} refuses the login.",
        "Check MESH_STATE_USER and MESH_STATE_PASSWORD.",
        POSTGRES,
        "password authentication failed|role .* does not exist|no pg_hba",
    ),
    Meaning(
        "state-missing",
        WrongUse,
        "{state} does not exist.",
        "Create it, or check MESH_STATE_DATABASE.",
        POSTGRES,
        "database .* does not exist",
    ),
    Meaning(
        "state-unreachable",
        WrongUse,
        "{state} cannot be reached.",
        f"Check that it runs and that MESH_STATE_HOST and MESH_STATE_PORT are right. {RERUN}",
        ("psycopg2.OperationalError", "psycopg2.InterfaceError"),
    ),
    Meaning(
        "network",
        WrongUse,
        "the connection to Google Cloud was lost.",
        f"Check the network. {RERUN}",
        (
            *("TransportError", "RetryError", "ServiceUnavailable", "GatewayTimeout"),
            *("BadGateway", "InternalServerError", "ConnectionError", "Timeout"),
        ),
    ),
    Meaning(
        "refused",
        CheckFailed,
        "BigQuery refuses: {reason}.",
        "`mesh contracts prove` names model and line.",
        GOOGLE,
    ),
)
