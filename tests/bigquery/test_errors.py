"""What BigQuery, Google's login and the state database refuse reaches a user as one sentence.

What can be had from the real thing (no credentials, a state database that is not there) is had
from it. What an emulator never says stands here as Google's client raises it.
"""

from __future__ import annotations

import socket
from unittest.mock import Mock

import psycopg2
import pytest
import requests
from google.api_core import exceptions as google
from google.auth.exceptions import DefaultCredentialsError, RefreshError

from mesh.bigquery import Warehouse, connect, explained, explanation, warehouse
from mesh.bigquery.errors import MEANINGS
from mesh.environments.opened import Opened, readable_errors
from mesh.errors import CheckFailed, MeshError, WrongUse
from tests.project_copy import PROJECT

URL = "https://bigquery.example/bigquery/v2/projects/p/jobs?prettyPrint=false"
TAIL = "\n\nLocation: EU\nJob ID: 0f1a\n"


class ConflictingPlanError(Exception):
    """By its name, as SQLMesh raises it."""


def _postgres(text: str) -> Exception:
    return psycopg2.OperationalError(text)


# id of the meaning, what is raised, what the user reads.
CASES = [
    (
        "credentials-file",
        DefaultCredentialsError(
            "File key.json is not a valid json file.", ValueError("Expecting value: line 1")
        ),
        "GOOGLE_APPLICATION_CREDENTIALS names no key: File key.json is not a valid json file. Let",
    ),
    (
        "credentials-refused",
        RefreshError("invalid_grant: Token has been expired or revoked."),
        "Google refuses the credentials: invalid_grant: Token has been expired or revoked. Log in "
        "again",
    ),
    (
        "bytes-limit",
        google.InternalServerError(
            "Query exceeded limit for bytes billed: 100. 20971520 or higher required.; reason: "
            f"bytesBilledLimitExceeded, message: the same{TAIL}"
        ),
        "a query would scan more than the most that may be billed, and was not run: "
        "Query exceeded limit for bytes billed: 100. 20971520 or higher required. See `mesh cost`",
    ),
    (
        "quota",
        google.Forbidden(
            f"POST {URL}: Quota exceeded: Your project exceeded quota for imports per project.; "
            f"reason: quotaExceeded{TAIL}"
        ),
        "a quota of BigQuery is exceeded: Quota exceeded: Your project exceeded quota for imports "
        "per project. Wait a while.",
    ),
    (
        "wrong-project",
        google.Forbidden(
            f"POST {URL}: Access Denied: Project p: User does not have bigquery.jobs.create "
            "permission in project p."
        ),
        "the Google project of the gateway cannot be used: Access Denied: Project p: User does "
        "not have bigquery.jobs.create permission in project p. Check its name",
    ),
    (
        "no-bucket",
        google.NotFound(
            "GET https://storage.example/b/films/o?prefix=new: The specified bucket does not exist."
        ),
        "there is no such bucket: The specified bucket does not exist. Check the name behind gs://.",
    ),
    (
        "bucket-forbidden",
        google.Forbidden(
            "GET https://storage.example/b/films/o?prefix=new: anna@example.com does not have "
            "storage.objects.list access to the Google Cloud Storage bucket."
        ),
        "the bucket may not be read: anna@example.com does not have storage.objects.list access to "
        "the Google Cloud Storage bucket. Ask for the role Storage Object Viewer on it.",
    ),
    (
        "forbidden",
        google.Forbidden(
            f"POST {URL}: Access Denied: Dataset p:operational: Permission "
            "bigquery.tables.create denied on dataset p:operational (or it may not exist).; "
            f"reason: accessDenied{TAIL}"
        ),
        "a permission is missing: Access Denied: Dataset p:operational: Permission "
        "bigquery.tables.create denied on dataset p:operational (or it may not exist). Ask for",
    ),
    (
        "wrong-location",
        google.NotFound(
            f"Not found: Dataset p:operational was not found in location EU; reason: notFound{TAIL}"
        ),
        "BigQuery finds nothing there: Not found: Dataset p:operational was not found in location "
        "EU. If it is there",
    ),
    (
        "ingest-overtaken",
        google.BadRequest("Transaction is aborted due to concurrent update against table p:o.t."),
        "another ingest published while this one ran, and this one was undone. Run it again",
    ),
    (
        "two-plans",
        ConflictingPlanError("Another plan (1f) was applied to the target environment 'prod'."),
        "another plan changed this environment while this one ran, and this one was not applied: "
        "Another plan (1f) was applied to the target environment 'prod'. Run it again",
    ),
    (
        "state-version",
        RuntimeError("SQLMesh (local) is using version '0.236.4' which is behind '0.300.0'"),
        "belongs to another version of SQLMesh: SQLMesh (local) is using version '0.236.4' which "
        "is behind '0.300.0'. Install the version in requirements.txt",
    ),
    (
        "two-plans-state",
        psycopg2.errors.SerializationFailure("could not serialize access due to concurrent update"),
        "another command wrote to the state database states on 10.0.0.9:5439 at the same moment. "
        "Wait until it is done.",
    ),
    (
        "state-refused",
        _postgres('FATAL:  password authentication failed for user "mesh"'),
        "the state database states on 10.0.0.9:5439 refuses the login. Check MESH_STATE_USER",
    ),
    (
        "state-missing",
        _postgres('FATAL:  database "states" does not exist'),
        "the state database states on 10.0.0.9:5439 does not exist. Create it",
    ),
    (
        "state-unreachable",
        _postgres("connection to server failed: Connection refused"),
        "the state database states on 10.0.0.9:5439 cannot be reached. Check that it runs",
    ),
    (
        "network",
        requests.ConnectionError("('Connection aborted.', RemoteDisconnected())"),
        "the connection to Google Cloud was lost. Check the network. Nothing was half-published",
    ),
    (
        "refused",
        google.BadRequest(f"Unrecognized name: usre_id at [1:8]; reason: invalidQuery{TAIL}"),
        "BigQuery refuses: Unrecognized name: usre_id at [1:8]. `mesh contracts prove`",
    ),
]


@pytest.fixture(autouse=True)
def variables(monkeypatch):
    monkeypatch.setenv("MESH_BIGQUERY_PROJECT", "p")
    monkeypatch.setenv("MESH_STATE_HOST", "10.0.0.9")
    monkeypatch.setenv("MESH_STATE_PORT", "5439")
    monkeypatch.setenv("MESH_STATE_DATABASE", "states")


@pytest.mark.parametrize(("meaning", "error", "sentence"), CASES, ids=[case[0] for case in CASES])
def test_a_failure_is_one_sentence_with_what_to_do(meaning, error, sentence):
    with pytest.raises(MeshError) as caught, readable_errors(PROJECT.database):
        raise error
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("meaning", "error", "sentence"), CASES, ids=[case[0] for case in CASES])
def test_a_failure_is_found_behind_the_errors_that_wrap_it(meaning, error, sentence):
    try:
        try:
            raise error
        except Exception as inner:
            raise RuntimeError("Execution failed for node") from inner
    except RuntimeError as outer:
        assert sentence in str(explanation(outer))


def test_every_meaning_has_a_case():
    assert {case[0] for case in CASES} | {"no-credentials"} == {each.id for each in MEANINGS}


def test_another_failure_passes_unchanged():
    with pytest.raises(KeyError), explained():
        raise KeyError("ours")
    assert explanation(ValueError("ours")) is None


def test_a_machine_without_credentials_says_how_to_log_in(monkeypatch, tmp_path, caplog):
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    with pytest.raises(WrongUse, match="there are no Google credentials on this machine") as caught:
        connect(Warehouse("p"))
    assert "gcloud auth application-default login" in str(caught.value)
    assert caplog.text == ""


def test_a_key_that_is_not_there_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "key.json"))
    with pytest.raises(WrongUse, match=r"names no key: File .*key\.json was not found\. Let it"):
        connect(Warehouse("p"))


def test_a_state_database_that_is_not_there_is_named(monkeypatch):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monkeypatch.setenv("MESH_STATE_HOST", "127.0.0.1")
    monkeypatch.setenv("MESH_STATE_PORT", str(port))
    with (
        pytest.raises(WrongUse, match=f"states on 127.0.0.1:{port} cannot be reached"),
        explained(),
    ):
        psycopg2.connect(host="127.0.0.1", port=port, dbname="states", user="mesh")


@pytest.mark.parametrize("look", [lambda p: p.environment_names, lambda p: p.environment("dev")])
def test_who_reads_the_state_first_is_told_that_it_cannot_be_reached(look):
    reader = Mock()
    reader.get_environment.side_effect = reader.get_environments_summary.side_effect = _postgres(
        "connection to server failed: Connection refused"
    )
    with pytest.raises(WrongUse, match=r"states on 10\.0\.0\.9:5439 cannot be reached"):
        look(Opened(PROJECT, Mock(state_reader=reader), console=None))


def test_without_its_variables_there_is_no_gateway(monkeypatch, tmp_path):
    monkeypatch.setenv("SQLMESH_DOTENV_PATH", str(tmp_path / "none.env"))
    monkeypatch.delenv("MESH_BIGQUERY_PROJECT")
    with pytest.raises(WrongUse, match=r"MESH_BIGQUERY_PROJECT is not set\. Copy \.env\.example"):
        warehouse()


def test_a_limit_of_bytes_that_is_no_number_is_refused(monkeypatch, tmp_path):
    monkeypatch.setenv("SQLMESH_DOTENV_PATH", str(tmp_path / "none.env"))
    monkeypatch.setenv("MESH_BIGQUERY_MAXIMUM_BYTES_BILLED", "2 TB")
    with pytest.raises(WrongUse, match="is '2 TB', which is no number of bytes"):
        warehouse()


def test_the_variables_may_stand_in_a_dotenv(monkeypatch, tmp_path):
    (tmp_path / "own.env").write_text(
        "MESH_BIGQUERY_PROJECT=from-file\nMESH_BIGQUERY_LOCATION=US\n"
    )
    monkeypatch.setenv("SQLMESH_DOTENV_PATH", str(tmp_path / "own.env"))
    monkeypatch.setenv("MESH_BIGQUERY_LOCATION", "EU")
    # The file wins over what is set; both are put back afterwards.
    monkeypatch.setenv("MESH_BIGQUERY_PROJECT", "set")
    PROJECT.read_dotenv()
    assert warehouse() == Warehouse("from-file", "US")


def test_two_kinds_of_failure_have_two_exit_codes():
    assert isinstance(explanation(google.Forbidden("no")), WrongUse)
    assert isinstance(explanation(google.BadRequest("no such column")), CheckFailed)
    # Nothing was looked at, so nothing is known to be out of order.
    assert isinstance(explanation(requests.Timeout("slow")), WrongUse)
