"""`mesh init`: what it writes into a SQLMesh project, and what it leaves alone."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import yaml

from mesh.cli.main import run
from mesh.errors import CheckFailed, WrongUse
from mesh.project import SET_UP, Project
from mesh.setup import needed
from mesh.setup.config import RULES, WARN_RULES, with_mesh
from mesh.setup.init import TEMPLATES
from tests.project_copy import PROJECT, ROOT

PLAIN = """\
gateways:
  local:
    connection:
      type: duckdb   # embedded

model_defaults:
  dialect: duckdb
"""


def asked(folder: Path, *words: str) -> int:
    with pytest.raises(SystemExit) as end:
        run(["init", "--project", str(folder), *words])
    return int(end.value.code or 0)


def made(text: str) -> dict:
    return yaml.safe_load(with_mesh(text, Path("config.yaml"), {"version": SET_UP}))


def test_this_project_is_set_up_by_the_same_files() -> None:
    assert needed(PROJECT) == []
    for template in TEMPLATES.rglob("*.*"):
        if template.suffix in (".py", ".sql"):
            own = ROOT / template.relative_to(TEMPLATES)
            assert own.read_text() == template.read_text(), own


def test_a_project_without_a_linter_gets_rules_and_version_and_keeps_its_letters() -> None:
    text = with_mesh(PLAIN, Path("config.yaml"), {"version": SET_UP})
    assert text.startswith(PLAIN)
    assert made(PLAIN)["linter"] == {
        "enabled": True,
        "rules": list(RULES),
        "warn_rules": list(WARN_RULES),
    }
    assert made(PLAIN)["variables"] == {"mesh": {"version": SET_UP}}


@pytest.mark.parametrize(
    "linter",
    [
        "linter:\n  enabled: true\n  rules:\n    - nomissingaudits\n",
        "linter:\n  enabled: true\n  rules: [nomissingaudits]\n  # the rest is for later\n",
        "linter:\n  rules:\n  - nomissingaudits\n  enabled: true\n\nusers: []\n",
    ],
)
def test_rules_that_are_there_stay(linter: str) -> None:
    found = made(PLAIN + linter)["linter"]
    assert found["enabled"] is True
    assert found["rules"] == ["nomissingaudits", *RULES]
    assert found["warn_rules"] == list(WARN_RULES)


@pytest.mark.parametrize(
    "linter",
    [
        "linter:\n  enabled: false\n  rules:\n    - nomissingaudits  # 1\n    - noselectstar\n",
        "linter:\n  rules: [nomissingaudits, noselectstar]\n\nusers: []\n",
        "linter: {enabled: false, rules: [nomissingaudits], warn_rules: noselectstar}\n",
    ],
)
def test_what_a_linter_that_is_off_lists_stops_no_plan_when_it_goes_on(linter: str) -> None:
    found = made(PLAIN + linter)["linter"]
    assert found["enabled"] is True and found["rules"] == list(RULES)
    assert sorted(found["warn_rules"][:2]) == ["nomissingaudits", "noselectstar"]
    assert found["warn_rules"][2:] == list(WARN_RULES)
    assert made(with_mesh(PLAIN + linter, Path("c"), {"version": SET_UP})) == made(PLAIN + linter)


def test_a_rule_that_the_project_warns_of_or_ignores_is_its_own_choice() -> None:
    text = f"{PLAIN}linter:\n  enabled: true\n  warn_rules:\n    - {RULES[0]}\n"
    found = made(text)["linter"]
    assert found["rules"] == list(RULES[1:])
    assert found["warn_rules"] == [RULES[0], *WARN_RULES]
    assert made(f"{PLAIN}linter:\n  enabled: true\n  rules: ALL\n")["linter"]["rules"] == "ALL"


@pytest.mark.parametrize("key", ["rules", "warn_rules", "ignored_rules"])
@pytest.mark.parametrize("every", ["ALL", "[ALL]", "\n    - all"])
def test_what_is_said_of_all_rules_is_its_own_choice_too(key: str, every: str) -> None:
    """SQLMesh refuses a rule in one list that another list holds."""
    linter = f"linter:\n  enabled: true\n  {key}: {every}\n"
    assert made(PLAIN + linter)["linter"] == yaml.safe_load(linter)["linter"]


@pytest.mark.parametrize(
    ("linter", "names"),
    [
        ("linter:\n", []),
        ("linter: {}\n", []),
        ("linter: {enabled: false}\n", []),
        ("linter: {enabled: true, rules: [nomissingaudits]}   # few\n", ["nomissingaudits"]),
        ("linter:\n  rules: nomissingaudits\n", ["nomissingaudits"]),
        ("linter:\n  rules: []\n  enabled:\n", []),
        ("linter:\n  rules:\n  warn_rules:\n", []),
    ],
)
@pytest.mark.parametrize(
    "variables", ["", "variables:\n", "variables: {}\n", "variables: {a: 1}\n"]
)
def test_any_way_to_write_a_block_is_added_to(
    linter: str, names: list[str], variables: str
) -> None:
    text = PLAIN + linter + variables
    found = made(text)
    is_on = "enabled: true" in linter
    assert found["linter"] == {
        "enabled": True,
        "rules": [*(names if is_on else []), *RULES],
        "warn_rules": [*([] if is_on else names), *WARN_RULES],
    }
    assert found["variables"]["mesh"] == {"version": SET_UP}
    assert ("a" in found["variables"]) == ("a:" in variables)
    assert with_mesh(
        with_mesh(text, Path("c"), {"version": SET_UP}), Path("c"), {"version": SET_UP}
    ) == with_mesh(text, Path("c"), {"version": SET_UP})


def test_templates_and_other_variables_stay() -> None:
    text = (
        "{% set file = env_var('FILE', 'a.db') %}\n"
        + PLAIN
        + "variables:\n  day: \"{{ env_var('DAY') }}\"  # of the run\n"
    )
    after = with_mesh(text, Path("config.yaml"), {"version": SET_UP})
    for line in text.splitlines():
        assert line in after
    assert "variables:\n  mesh:\n    version: 2\n  day:" in after


def test_an_older_version_is_brought_up_to_date_and_nothing_else() -> None:
    text = with_mesh(PLAIN, Path("config.yaml"), {"version": SET_UP})
    assert with_mesh(text, Path("config.yaml"), {"version": SET_UP}) == text
    older = text.replace(f"version: {SET_UP}", "version: 1 # by hand")
    assert with_mesh(older, Path("config.yaml"), {"version": SET_UP}) == text.replace(
        f"version: {SET_UP}", f"version: {SET_UP} # by hand"
    )


def test_a_configuration_that_is_no_yaml_is_told_with_its_line() -> None:
    with pytest.raises(CheckFailed, match=r"^config\.yaml:3: the configuration is no YAML"):
        with_mesh("gateways: {}\nlinter: [\n", Path("config.yaml"), {"version": SET_UP})


def test_files_are_written_and_what_was_there_is_asked_for(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "config.yaml").write_text(PLAIN)
    (tmp_path / "linter").mkdir()
    (tmp_path / "linter" / "contracts.py").write_text("# mine\n")
    assert asked(tmp_path) == 1
    said = capfd.readouterr()
    assert "is written." not in said.out
    assert "nothing is written: contracts are not enforced unless linter/contracts.py, con" in (
        " ".join(said.err.split())
    )
    assert sorted(path.name for path in tmp_path.rglob("*.*")) == ["config.yaml", "contracts.py"]
    assert (tmp_path / "config.yaml").read_text() == PLAIN
    assert (tmp_path / "linter" / "contracts.py").read_text() == "# mine\n"
    assert asked(tmp_path, "--yes") == 0
    assert "macros/contract.py is written." in capfd.readouterr().out
    assert needed(Project(tmp_path)) == []
    assert asked(tmp_path) == 0
    assert "This project is set up." in capfd.readouterr().out


def test_a_dialect_in_capitals_is_refused_with_what_to_write(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("model_defaults: {dialect: snowflake}\n")
    told = "`model_defaults: dialect: snowflake, normalization_strategy=lowercase`"
    with pytest.raises(WrongUse, match=r"config.yaml: names are written in capitals") as refused:
        needed(Project(tmp_path))
    assert told in str(refused.value)
    config.write_text("model_defaults:\n  dialect: snowflake, normalization_strategy=lowercase\n")
    assert needed(Project(tmp_path))


def test_a_configuration_in_python_is_left_to_its_author(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "config.py"
    head = (
        "from sqlmesh.core.config import *\n"
        "config = Config(\n"
        '    model_defaults=ModelDefaultsConfig(dialect="duckdb"),\n'
        "    default_connection=DuckDBConnectionConfig(),\n"
    )
    config.write_text(f"{head})\n")
    assert asked(tmp_path) == 1
    told = capfd.readouterr()
    assert f"{config}: its configuration is in Python" in told.err
    assert config.read_text() == f"{head})\n"
    assert (tmp_path / "macros" / "contract.py").is_file()
    config.write_text(f"{head}{told.out[told.out.index('linter=') :]})\n")
    assert asked(tmp_path) == 0
    assert "This project is set up." in capfd.readouterr().out
    made: dict = {}
    exec(config.read_text(), made)
    assert made["config"].linter.rules == set(RULES)
    # SQLMesh leaves it there.
    sys.modules.pop("config", None)
    Project(tmp_path).check_set_up()
    assert sys.modules.get("config") is None


def test_what_a_configuration_in_python_says_already_stays_in_what_it_is_to_be_given(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    head = (
        "from sqlmesh.core.config import *\n"
        "config = Config(\n"
        '    model_defaults=ModelDefaultsConfig(dialect="duckdb"),\n'
    )
    linter = 'linter=LinterConfig(rules=["noselectstar"], warn_rules=["ambiguousorinvalidcolumn"], '
    config = tmp_path / "config.py"
    config.write_text(
        f'{head}{linter} ignored_rules=["explicitcolumns"]),\n'
        'variables={"factor": 2, "mesh": {"as_of": "2025-01-01"}},\n)\n'
    )
    assert asked(tmp_path) == 1
    told = capfd.readouterr().out
    assert "# beside the variables that are there" in told
    config.write_text(f"{head}{told[told.index('linter=') :]})\n")
    assert asked(tmp_path) == 0
    made: dict = {}
    exec(config.read_text(), made)
    found = made["config"].linter
    # It was off: what it would have stopped plans by warns.
    assert found.enabled and found.rules == {*RULES}
    warned = {"noselectstar", "ambiguousorinvalidcolumn", *WARN_RULES}
    assert found.warn_rules == warned - {"explicitcolumns"}
    assert found.ignored_rules == {"explicitcolumns"}
    assert made["config"].variables["mesh"] == {"as_of": "2025-01-01", "version": SET_UP}


def test_lines_end_as_they_did(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_bytes(PLAIN.replace("\n", "\r\n").encode())
    assert asked(tmp_path, "--yes") == 0
    written = config.read_bytes()
    assert b"\r\nlinter:\r\n" in written
    assert written.count(b"\n") == written.count(b"\r\n")
    assert needed(Project(tmp_path)) == []
