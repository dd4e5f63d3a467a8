"""Files that are no contracts, or mean harm: a clear error with a line, no traceback, no harm."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner

from mesh.cli.contracts import app
from mesh.contracts import ContractInvalid, find, load_contract, load_contracts
from mesh.contracts.constraints.pattern import matches, refused
from mesh.contracts.findings import CONTRACT
from mesh.contracts.lint import lint
from mesh.contracts.sql import RuleSqlError, parse_rule
from mesh.files.tree import read_tree

FIXTURES = Path(__file__).parent / "fixtures" / "contracts"

LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{chr(ord(name) - 1)}'] * 10)}]\n" for name in "bcdefghi"
)
FILES = {
    "empty": (b"", "The file is empty.", 1),
    "only a comment": (b"# nothing\n", "The file is empty.", 1),
    "binary": (b"kind: x\n\x00\x01\x02\x00", "The file is binary, not text.", 2),
    "latin-1": ("kind: x\nname: caf\u00e9\n".encode("latin-1"), "not encoded in UTF-8", 2),
    "utf-16": ("kind: x\n".encode("utf-16"), "not encoded in UTF-8", 1),
    "an image": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "binary", 3),
    "a list": (b"- a\n- b\n", "holds no mapping", 1),
    "a word": (b"hello\n", "holds no mapping", 1),
    "no YAML": (b"kind: [1, 2\nname: x\n", "is no YAML", 2),
    "a tab": (b"kind:\n\tname: x\n", "is no YAML", 2),
    "a control character": (b"kind: x\nname: \x07\n", "character that YAML does not allow", 2),
    "two documents": (b"kind: x\n---\nkind: y\n", "holds several documents", 2),
    "anchors that explode": (LAUGHS.encode(), "holds more than 20,000 values", 5),
    "an anchor in itself": (b"a: &a [*a]\n", "uses the anchor `a` before its end", 1),
    "deep nesting": (b"a: " + b"[" * 50_000, "more than 24 levels", 1),
    "deep blocks": (
        "".join(" " * i + f"k{i}:\n" for i in range(900)).encode(),
        "more than 24 levels",
        25,
    ),
    "a key that is a list": (b"kind: x\n? [a, b]\n: c\n", "has a key that is no text", 2),
    "an alias as a key": (b"a: &a x\n*a : y\n", "has an alias as a key", 2),
    "too many values": (b"a: [" + b"1, " * 30_000 + b"1]", "more than 20,000 values", 1),
    "too large": (b"a: " + b"x" * 1_000_001, "larger than 1,000,000 bytes", 1),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_no_contract_gets_one_clear_error(tmp_path: Path, name: str) -> None:
    content, says, line = FILES[name]
    path = tmp_path / "interactions" / "plays.odcs.yaml"
    path.parent.mkdir()
    path.write_bytes(content)
    (problem,) = lint([path]).problems
    assert (says in problem.message, problem.line) == (True, line), str(problem)
    assert problem.fix
    with pytest.raises(ContractInvalid) as refused:
        load_contract(path)
    assert f"plays.odcs.yaml:{line}: " in str(refused.value)
    result = CliRunner().invoke(app, ["lint", str(path)])
    assert result.exit_code == 1
    assert "Traceback" not in result.output
    assert says in result.output


def test_a_tag_makes_no_object(tmp_path: Path) -> None:
    path = tmp_path / "x.odcs.yaml"
    path.write_text(f"a: !!python/object/apply:os.mkdir [{tmp_path / 'made'}]\n")
    tree = read_tree(path, CONTRACT)
    assert not (tmp_path / "made").exists()
    assert tree.problems[0].message == (
        "The YAML tag `tag:yaml.org,2002:python/object/apply:os.mkdir` is not read."
    )


def test_a_folder_in_the_place_of_a_contract_is_told(tmp_path: Path) -> None:
    (tmp_path / "plays.odcs.yaml").mkdir()
    with pytest.raises(ContractInvalid, match="The file cannot be read: Is a directory"):
        load_contract(tmp_path / "plays.odcs.yaml")
    with pytest.raises(ContractInvalid, match="The file cannot be read: No such file"):
        load_contract(tmp_path / "gone.odcs.yaml")


def test_a_link_to_itself_is_a_problem_of_one_file(tmp_path: Path) -> None:
    shutil.copytree(FIXTURES / "valid", tmp_path / "contracts")
    link = tmp_path / "contracts" / "interactions" / "round.odcs.yaml"
    link.symlink_to(link.name)
    result = CliRunner().invoke(app, ["lint", str(tmp_path / "contracts")])
    assert result.exit_code == 1
    says = "FILE_UNREADABLE: The file cannot be read: Too many levels of symbolic links."
    assert says in result.output and "1 problem in 1 of 3 contracts" in result.output
    with pytest.raises(ContractInvalid, match="Too many levels of symbolic links"):
        load_contracts(tmp_path / "contracts")


QUERIES = {
    "DROP TABLE x": "no query but DROP",
    "CREATE TABLE x AS SELECT 1": "no query but CREATE",
    "INSERT INTO x SELECT 1": "no query but INSERT",
    "UPDATE x SET a = 1 WHERE TRUE": "no query but UPDATE",
    "COPY x TO '/tmp/x'": "no query but",
    "ATTACH '/tmp/x.db'": "no ",
    "PRAGMA database_list": "no query but",
    "SET x = 1": "no query but",
    "EXPORT DATA OPTIONS (uri = 'gs://x') AS SELECT 1": "no ",
    "SELECT COUNT(*) FROM ${table}; SELECT 1": "holds 2 statements",
    "": "holds no statements",
    "-- nothing": "holds no statements",
    "SELECT COUNT(*) FROM read_csv('/etc/passwd')": "",
    "SELECT COUNT(*) FROM read_text('/etc/passwd') AS a, ${table}": "",
    "SELECT COUNT(*) FROM '/etc/passwd'": "",
    "SELECT COUNT(*) FROM `/etc/passwd`": "which is no product",
    "SELECT COUNT(*) FROM glob('*')": "",
    "SELECT COUNT(*) FROM a.b.c, ${table}": "which is no product",
    "SELECT COUNT(*) FROM UNNEST([1, 2])": "",
    "SELECT COUNT(*) FROM ${table} WHERE getenv('HOME') = 'x'": "The function `GETENV`",
    "SELECT COUNT(*) FROM ${table} WHERE rand() > 0.5": "The function `RAND`",
    "SELECT COUNT(*) FROM ${table} WHERE session_user() = 'x'": "The function `SESSION_USER`",
    "SELECT COUNT(*) FROM ${table} WHERE FORMAT_DATE('%A', x) = 'x'": "The function `FORMAT_DATE`",
    "SELECT COUNT(*) FROM ${table} WHERE x = @parameter": "is not allowed in a rule",
    "SELECT COUNT(*) FROM ${table} WHERE x = ?": "is not allowed in a rule",
    "SELECT COUNT(*) FROM interactions.user_actions": "does not read `${table}`",
    "SELECT COUNT(*), 1 FROM ${table}": "does not count offending rows",
    "SELECT COUNT(*) FROM ${table} GROUP BY x": "does not count offending rows",
    "SELECT COUNT(*) FROM ${table} AS a JOIN b.c AS d ON a.x = d.x": "The outer query joins",
    "SELECT COUNT(*) FROM ${schema}.x": "placeholder other than",
    "SELECT COUNT(*) FROM {table}": "placeholder other than",
    "SELECT COUNT(*) FROM __contract_table__": "placeholder other than",
    "SELECT COUNT(*) FROM ${table} WHERE " + "(" * 50 + "x" + ")" * 50: "nested too deeply",
    "SELECT COUNT(*) FROM ${table} WHERE x = '" + "y" * 10_000 + "'": "longer than 10,000",
    "SELECT COUNT(*) FROM ${table} WHERE x = 'open": "is no SQL",
    "SELECT COUNT(*) FROM ${table} FOR SYSTEM_TIME AS OF CURRENT_TIMESTAMP": "",
    "SELECT COUNT(*) FROM (SELECT x AS both FROM ${table}) AS o": "reserved word of DuckDB",
    "SELECT COUNT(*) FROM (SELECT x AS hash FROM ${table}) AS o": "reserved word of BigQuery",
    "SELECT COUNT(*) FROM ${table} AS pivot WHERE pivot.x = 1": "reserved word of DuckDB",
}


@pytest.mark.parametrize("query", QUERIES, ids=[q[:40] or "nothing" for q in QUERIES])
def test_a_rule_can_only_read_products(query: str) -> None:
    with pytest.raises(RuleSqlError) as refused:
        parse_rule(query)
    assert QUERIES[query] in refused.value.message, refused.value.message
    assert refused.value.message.endswith(".")
    assert refused.value.fix


def test_words_that_duckdb_reserves_are_no_names() -> None:
    """The peer gives DuckDB the rule as it is written; its own list of words is the measure."""
    found = duckdb.sql(
        "SELECT keyword_name FROM duckdb_keywords() WHERE keyword_category = 'reserved'"
    ).fetchall()
    taken = []
    for (word,) in found:
        try:
            parse_rule(f"SELECT COUNT(*) FROM (SELECT x AS {word} FROM ${{table}}) AS offending")
            taken.append(word)
        except RuleSqlError:
            pass
    assert len(found) > 50
    assert taken == []


def test_rules_stay_refused_when_sqlmesh_has_extended_the_parser() -> None:
    import sqlmesh  # noqa: F401

    for query in (
        "SELECT COUNT(*) FROM ${table} WHERE @eval_me(1)",
        "SELECT COUNT(*) FROM @this_model, ${table}",
        "SELECT COUNT(*) FROM ${table} WHERE x = @{y}",
        "JINJA_QUERY_BEGIN; SELECT 1; JINJA_END;",
    ):
        with pytest.raises(RuleSqlError):
            parse_rule(query)


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("(?=a)b", "invalid perl operator: (?="),
        ("(?<!a)b", "invalid perl operator: (?<"),
        (r"(a)\1", r"invalid escape sequence: \1"),
        (r"(a)?(?(1)b|c)", "invalid perl operator: (?("),
        ("(?>a)", "invalid perl operator: (?>"),
        ("a++", "bad repetition operator: ++"),
        ("[", "missing ]: ["),
        ("a{5}{6", None),
        ("((a{100}){100}){100}", "invalid repetition size: {100}"),
        ("(" * 200 + ")" * 200, None),
        (r"^[^|]+(\|[^|]+)*$", None),
        (r"^\w+@\w+\.\w+$", None),
        ("^(red|green|blue)+$", None),
    ],
)
def test_a_pattern_is_refused_when_the_engines_refuse_it(pattern: str, why: str | None) -> None:
    assert refused(pattern) == why


@pytest.mark.parametrize(
    "pattern",
    [
        *("(a+)+$", "(a|a)*b", "(a|ab)*c", "(a*)*$", "(a?){50}b", "(x+x+)+y"),
        *(r"(\d+|\w+)*$", ".*.*.*x"),
    ],
)
def test_no_pattern_that_the_engines_take_can_hang_them(pattern: str) -> None:
    """An engine that goes back and tries again would not return from these in a lifetime."""
    for text in ("a" * 20_000 + "!", "x" * 20_000, "1" * 20_000 + "!"):
        matches(pattern, text)


def test_a_pattern_longer_than_anyone_reads_is_refused(tmp_path: Path) -> None:
    shutil.copytree(FIXTURES / "valid", tmp_path / "contracts")
    path = tmp_path / "contracts" / "interactions" / "plays.odcs.yaml"
    path.write_text(path.read_text().replace("'^[a-z]+$'", "'" + "x" * 501 + "'"))
    with pytest.raises(ContractInvalid, match="pattern is longer than 500 characters"):
        load_contract(path)


def test_an_invalid_contract_is_refused_with_the_number_of_its_problems(tmp_path: Path) -> None:
    shutil.copytree(FIXTURES / "valid", tmp_path / "contracts")
    path = tmp_path / "contracts" / "interactions" / "plays.odcs.yaml"
    text = path.read_text().replace("status: active", "status: x").replace("1.2.3", "one")
    path.write_text(text)
    for load in (lambda: load_contract(path), lambda: load_contracts(tmp_path / "contracts")):
        with pytest.raises(ContractInvalid) as refused:
            load()
        assert "plays.odcs.yaml:5: `one` is no semantic version." in str(refused.value)
        assert "There is 1 more: run `mesh contracts lint`." in str(refused.value)
        assert refused.value.exit_code == 1
    users = find("users", tmp_path / "contracts")
    assert users.product == "operational.users"


def test_a_rule_with_bad_sql_is_refused_with_its_line_when_rules_are_asked_for(
    tmp_path: Path,
) -> None:
    shutil.copytree(FIXTURES / "valid", tmp_path / "contracts")
    path = tmp_path / "contracts" / "interactions" / "plays.odcs.yaml"
    path.write_text(path.read_text().replace("WHERE NOT (plays > 0", "WHERE NOT (rand() > 0"))
    contract = load_contract(path)
    with pytest.raises(ContractInvalid, match=r"plays.odcs.yaml:89: The function `RAND`"):
        contract.row_rules()
