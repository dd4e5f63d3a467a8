"""Drafts show none of what looks like a person's, whatever its column is called."""

from __future__ import annotations

import re

import pytest
import yaml
from sqlglot import exp

from mesh.catalogue.looks import LIKE_PERSONS, looks_like
from tests.stranger import PLAN, Stranger

LIKE = {
    "eve1@corp.example": "e-mail addresses",
    "write to eve.o'neil+x@mail.corp.co.uk.": "e-mail addresses",
    "10.1.2.3": "IP addresses",
    "refused 192.168.7.21, again": "IP addresses",
    "2001:db8:0::1": "IP addresses",
    "DE89370400440532013000": "numbers of accounts (IBAN)",
    "to GB82 WEST 1234 5698 7654 32": "numbers of accounts (IBAN)",
    "FR1420041010050500013M02606": "numbers of accounts (IBAN)",
    "4111 1111 1111 1111": "numbers of cards",
    "378282246310005": "numbers of cards",
    "078-05-1120": "numbers of social security",
    "+49 170 5550001": "numbers of telephones",
    "call me at +49 (170) 5551": "numbers of telephones",
    "(555) 010-1234": "numbers of telephones",
    "0170 5550001": "numbers of telephones",
}
LIKE_NOBODY = (
    *("2024-01-02", "2024-01-02 08:00:00+00:00", "11:30:00", "1.2.3", "v10.0.1.5", "52.5012345"),
    *("4111 1111 1111 1112", "4000123412341235", "4006381333931", "A-1001", "0000012345", "@home"),
    *("0F8FAD5B-D9CB-469F-A165-70867728950E", "DE123456789", "007: 1,000,000 (2001)", "std::map"),
    *("DE12345678ABCDEF0123456789ABCDEF", "x@y", "12 Angry Men (1957)", "999.1.2.3", "C++ 11"),
)


@pytest.mark.parametrize(("text", "what"), LIKE.items())
def test_a_text_tells_what_of_a_person_it_holds(text: str, what: str) -> None:
    assert looks_like(["of nobody", text]) == what
    assert re.search(LIKE_PERSONS, text, re.ASCII)


@pytest.mark.parametrize("text", LIKE_NOBODY)
def test_days_versions_codes_and_titles_look_like_nobody(text: str) -> None:
    assert looks_like([text]) == ""


def test_both_engines_are_asked_the_same() -> None:
    asked = exp.RegexpLike(this=exp.column("a"), expression=exp.Literal.string(LIKE_PERSONS))
    escaped = LIKE_PERSONS.replace("\\", "\\\\")
    assert asked.sql(dialect="bigquery") == f"REGEXP_CONTAINS(a, '{escaped}')"
    assert asked.sql(dialect="duckdb") == f"REGEXP_MATCHES(a, '{LIKE_PERSONS}')"


RAW = """\
SELECT x::BIGINT AS id, ('eve' || x || '@corp.example')::TEXT AS lead_source,
  ('10.1.2.' || (x % 3))::TEXT AS host, ('DE893704004405320' || (13000 + x))::TEXT AS paid_into,
  ('call +49 170 555' || x)::TEXT AS reason, ('Jane Doe ' || (x % 3))::TEXT AS assigned_to,
  ['4111 1111 1111 1111', 'cash'][1 + x % 2]::TEXT AS paid_with, (52 + x / 1000)::DOUBLE AS lat,
  (DATE '1971-02-03' + x::INT)::DATE AS geburtstag, ['new', 'old'][1 + x % 2]::TEXT AS state,
  (CURRENT_DATE - x::INT)::DATE AS day, ['eve' || x || '@corp.example', 'x'] AS seen_as
FROM range(60) AS t(x)"""
KNOWN = re.compile(r"eve\d|10\.1\.2|DE8937|\+49|Jane|4111|52\.0|197\d-")
ALIKE = "lead_source, host, paid_into, reason, assigned_to, paid_with, lat, geburtstag, state, day"


@pytest.fixture(scope="module")
def leads(tmp_path_factory: pytest.TempPathFactory) -> tuple[Stranger, str]:
    made = Stranger(tmp_path_factory.mktemp("leads"))
    made.run("git", "init", "-q")
    made.run("sqlmesh", "init", "duckdb", "-t", "empty")
    for name, query in {"leads": RAW, "shown": f"SELECT id, {ALIKE} FROM crm.leads"}.items():
        (made.root / f"models/{name}.sql").write_text(
            f"MODEL (name crm.{name}, kind FULL, grain id);\n{query}"
        )
        if name == "leads":
            made.run(*PLAN)
            made.run("mesh", "init", "--yes")
    return made, made.run("mesh", "contracts", "new", "crm.shown")


def test_what_looks_like_a_persons_is_in_no_draft_and_the_writer_is_told(
    leads: tuple[Stranger, str],
) -> None:
    """Neither in allowed values, bounds, examples and rules, nor in a unit test, which passes."""
    made, said = leads
    assert "No value of assigned_to, lat and geburtstag is shown: by their names" in said
    for name, what in {
        "lead_source": "e-mail addresses",
        "host": "IP addresses",
        "paid_into": "numbers of accounts (IBAN)",
        "reason": "numbers of telephones",
        "paid_with": "numbers of cards",
        "crm.leads.seen_as": "e-mail addresses",
    }.items():
        told = f"No value of {name} is shown: some are, hold or look like {what}. Classify it as"
        assert f"{told} personal, unless these lead to nobody." in said
    assert "The unit test shows texts of crm.leads.state as they are. Whether one names" in said
    contract = (made.root / "contracts/crm/shown.odcs.yaml").read_text()
    test = (made.root / "tests/crm/test_shown.yaml").read_text()
    assert not KNOWN.findall(contract) and not KNOWN.findall(test)
    assert "value: old" in contract and "state: old" in test
    (drafted,) = yaml.safe_load(test).values()
    rows = drafted["inputs"]["crm.leads"]["rows"]
    assert {row["host"] for row in rows} == {f"192.0.2.{n}" for n in (1, 2, 3)}
    assert all(row["lat"] is not None for row in rows)
    assert "Ran `1` Tests" in made.run("sqlmesh", "test")


def test_a_contract_is_believed_before_its_texts_are(leads: tuple[Stranger, str]) -> None:
    made, _ = leads
    file = made.root / "contracts/crm/shown.odcs.yaml"
    file.write_text(re.sub("classification: TODO.*", "classification: internal", file.read_text()))
    made.write_contracts()
    (made.root / "models/hosts.sql").write_text(
        "MODEL (name crm.hosts, kind FULL, grain id);\nSELECT id, host FROM crm.shown"
    )
    said = made.run("mesh", "contracts", "new", "crm.hosts")
    assert "No value of host is shown: some are, hold or look like IP addresses." in said
    assert "crm.shown.reason" not in said and "The unit test shows" not in said
    test = (made.root / "tests/crm/test_hosts.yaml").read_text()
    assert "10.1.2" not in test and "reason: call +49" in test
