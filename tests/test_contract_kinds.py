"""A new kind of promise costs one module and its name in the registry: made up here, and used."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mesh.contracts.constraints import COLUMN_KINDS, TABLE_KINDS

ROOT = Path(__file__).resolve().parent.parent
FIXTURES = ROOT / "tests" / "fixtures"
REGISTRY = "mesh/contracts/constraints/__init__.py"
PLAYS = "contracts/interactions/plays.odcs.yaml"
SCRIPT = """
import json, shutil
from datetime import date
from pathlib import Path

import yaml
from sqlmesh.core.dialect import parse
from sqlmesh.core.model import load_sql_based_model
from typer.testing import CliRunner

from mesh.catalogue.document import _column
from mesh.catalogue.found import Found
from mesh.catalogue.profile import Profile
from mesh.catalogue.sure import Made
from mesh.cli.main import app
from mesh.contracts import find
from mesh.contracts.constraints import counted
from mesh.contracts.constraints.base import Seen
from mesh.contracts.lint import lint

folder = Path("contracts").resolve()
text = Path("plays.txt").read_text()


def state(options, examples="tv"):
    new = text.replace("minLength: 2", f"minLength: 2, {{options}}" if options else "minLength: 2")
    Path("{plays}").write_text(new.replace("examples: [tv]", f"examples: [{{examples}}]"))


def found():
    return [(one.rule, one.message, one.fix) for one in lint([folder]).problems]


def changes(before, after):
    done = CliRunner().invoke(app, ["contracts", "diff", "--json", before, after])
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    found = json.loads(done.stdout)["findings"]
    return [(one["rule"], one["message"]) for one in found if "device" in one["message"]]


said = {{}}
state("format: emial", "a@b")
said["senseless"] = found()
state("format: email")
said["broken example"] = found()
state("", "a@b")
shutil.copytree(folder, "before/contracts")
state("format: email", "a@b")
said["valid"] = found()
plays = find("plays", folder)
rule = next(r for r in plays.row_rules() if r.kind == "format")
said["rule"] = [rule.id, rule.description, rule.sql(), rule.sql("duckdb")]
said["values"] = plays.column("device").values_text()
said["counted"] = counted("format")
said["came"] = changes("before/contracts", "contracts")
said["gone"] = changes("contracts", "before/contracts")
seen = Seen(nulls=0, minimum="a@b.org", maximum="z@b.org", filled=30)
profile = Profile(30, {{"mail": seen}}, (), frozenset())
day = date(2026, 11, 24)
model = load_sql_based_model(parse("MODEL (name shop.plays); SELECT 'a@b'::STRING AS mail"))
drafted = Found({{"mail": "STRING"}}, {{}}, profile, (), {{}}, [], model, {{}}, False, Made(), day)
vars(drafted)["personal"] = set()
said["draft"] = _column("mail", drafted)
custom = yaml.safe_load(text)
rule = dict(id="a_sum", type="custom", description="They add up.", dimension="accuracy")
rule |= dict(severity="error", engine="mesh", implementation=dict(addsUp="plays", to=12))
custom["schema"][0]["quality"].append(rule)
Path("{plays}").write_text(yaml.safe_dump(custom))
said["lint of custom"] = found()
rules = find("plays", folder).table_rules()
said["custom"] = [one.kind for one in rules if one.id in ("a_sum", "active_users_play")]
print(json.dumps(said))
"""


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What every part says of the new kind, with a copy of the package that knows it."""
    root = tmp_path_factory.mktemp("kinds")
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "mesh", root / "mesh", ignore=ignore)
    shutil.copytree(FIXTURES / "contracts" / "valid", root / "contracts")
    for name in ("config.yaml", "external_models.yaml"):
        shutil.copy(FIXTURES / "contracts" / name, root / name)
    registry = root / REGISTRY
    text = registry.read_text()
    for kinds, module, kind in (
        ("COLUMN_KINDS", "format", "Format"),
        ("TABLE_KINDS", "adds_up", "AddsUp"),
    ):
        shutil.copy(FIXTURES / "kinds" / f"{module}.py", (root / REGISTRY).parent)
        # Behind those that are there, whichever these are.
        text += f"from mesh.contracts.constraints.{module} import {kind}\n"
        text += f"{kinds} = (*{kinds}, {kind})\n"
    registry.write_text(text)
    # Of allowed values one would have to be an address.
    plays = (root / PLAYS).read_text()
    start = plays.index("        enum:", plays.index("- id: device"))
    end = plays.index("        examples", start)
    plays = (plays[:start] + plays[end:]).replace(", pattern: '^[a-z]+$'", "")
    (root / "plays.txt").write_text(plays)
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(plays=PLAYS)],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_lint_reads_it_and_checks_its_sense(said: dict[str, Any]) -> None:
    assert said["valid"] == []
    assert said["senseless"] == [["FORMAT", "`emial` is no format.", "Did you mean `email`?"]]
    (found,) = said["broken example"]
    assert found[:2] == ["EXAMPLE", "The example `tv` is no email."]


def test_it_is_enforced_on_both_engines_and_told_in_words(said: dict[str, Any]) -> None:
    assert said["rule"] == [
        "device.format",
        "device is written as email.",
        "INSTR(device, '@') > 0",
        "STRPOS(device, '@') > 0",
    ]
    assert said["values"] == "as email"
    assert said["counted"] == "of them"


def test_a_review_tells_what_became_of_it(said: dict[str, Any]) -> None:
    told = "promised that device is written as email."
    assert said["gone"] == [["QUALITY_NO_LOOSEN", f"It is no longer {told}"]]
    assert said["came"] == [["QUALITY_TIGHTENED", f"It is {told}"]]


def test_a_draft_proposes_it(said: dict[str, Any]) -> None:
    assert said["draft"]["logicalTypeOptions"] == {"minLength": 1, "format": "email"}


def test_a_second_kind_of_type_custom_is_told_by_the_key_of_its_implementation(
    said: dict[str, Any],
) -> None:
    assert said["lint of custom"] == []
    assert said["custom"] == ["reconciles_with", "adds_up"]


def test_every_module_of_a_kind_is_registered_once() -> None:
    folder = ROOT / "mesh" / "contracts" / "constraints"
    modules = {path.stem for path in folder.glob("*.py")} - {"__init__", "base"}
    registered = {kind.__module__.rpartition(".")[2] for kind in (*COLUMN_KINDS, *TABLE_KINDS)}
    assert registered == modules
    for kinds in (COLUMN_KINDS, TABLE_KINDS):
        assert len({kind.kind for kind in kinds}) == len(kinds)
    keys = [key for kind in COLUMN_KINDS for key in kind.options]
    assert len(keys) == len(set(keys))
