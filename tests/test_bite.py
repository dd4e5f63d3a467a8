"""`mesh contracts bite`: what a contract notices, what it does not, and what would."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml
from audience import opened, small_audience
from built import built
from project_copy import PRODUCTS, ROOT, ProjectCopy, copy_project
from sqlglot import exp
from sqlmesh.core.dialect import parse
from sqlmesh.core.model import Model, load_sql_based_model
from typer.testing import CliRunner

from mesh.bite.conditions import conditions, lineage
from mesh.bite.copy import Copy, memory
from mesh.bite.excuses import lint_bite
from mesh.bite.reconcile import reconciliations
from mesh.bite.run import Bitten, bite, bitten
from mesh.bite.shapes import proposals
from mesh.bite.ways import WAYS, damages
from mesh.cli.main import app
from mesh.contracts import Contract, ContractInvalid, load_contract
from mesh.contracts.lint import lint
from mesh.environments import Opened
from mesh.errors import CheckFailed, WrongUse
from mesh.movielens.demo import SAMPLE_SEED, SAMPLE_USERS
from mesh.movielens.generate import generate
from mesh.project import DATABASE_VARIABLE

FIXTURES = ROOT / "tests" / "fixtures" / "contracts" / "valid"
# By the order of the key: the second row is the middle one, `tv` the rarest device.
PLAYS = """
    (1, DATE '2018-01-01', 'phone', 3.0, 2),
    (1, DATE '2018-02-01', 'tv', 4.0, 5),
    (2, DATE '2018-01-01', 'phone', 2.5, 1),
    (2, DATE '2018-03-01', NULL, 5.0, 4)
"""
COLUMNS = ("user_id", "month", "device", "score", "plays")
# What becomes of one column, in the order of the rows, or which rows are left.
BY_HAND: dict[str, tuple[str | None, list[Any]]] = {
    # rows
    "rows.none": (None, []),
    "rows.half": (None, [2, 4]),
    "rows.one_lost": (None, [1, 3, 4]),
    "rows.one_left": (None, [2]),
    "rows.doubled": (None, [1, 1, 2, 2, 3, 3, 4, 4]),
    "rows.one_doubled": (None, [1, 2, 2, 3, 4]),
    "user_id.without_one": (None, [3, 4]),
    "month.without_day": (None, [1, 3, 4]),
    "month.without_newest": (None, [1, 2, 3]),
    "device.without_rarest": (None, [1, 3, 4]),
    "device.without_commonest": (None, [2, 4]),
    # values
    "plays.null_once": ("plays", [2, None, 1, 4]),
    "plays.times_100": ("plays", [200, 500, 100, 400]),
    "plays.one_off": ("plays", [2, 6, 1, 4]),
    "plays.shifted": ("plays", [5, 1, 4, 2]),
    "plays.constant": ("plays", [5, 5, 5, 5]),
    "score.rounded": ("score", [3.0, 4.0, 3.0, 5.0]),
    "score.infinite": ("score", [float("inf")] * 4),
    "device.exchanged": ("device", ["tv", "phone", "tv", None]),
    "device.unknown": ("device", ["unknown"] * 4),
    "month.future": ("month", ["2099-01-01"] * 4),
    "month.stale": ("month", ["2017-01-01", "2017-02-01", "2017-01-01", "2017-03-01"]),
    # keys
    "user_id.collided": ("user_id", [1, 1, 1, 1]),
    "user_id.merged": ("user_id", [1, 1, 1, 1]),
    "user_id.renumbered": ("user_id", [1000001, 1000001, 1000002, 1000002]),
    "month.moved": ("month", ["2018-02-01", "2018-01-01", "2018-03-01", "2018-01-01"]),
    # joins
    "device.unmatched_dropped": (None, [1, 2, 3]),
    "device.matched_doubled": (None, [1, 1, 2, 2, 3, 3, 4]),
    "plays.wrongly_matched": ("plays", [2, 1, 1, 2]),
    # aggregates
    "score.average": ("score", [3.5, 3.5, 3.75, 3.75]),
    "plays.total": ("plays", [7, 7, 5, 5]),
    "plays.largest": ("plays", [5, 5, 4, 4]),
    "plays.running": ("plays", [2, 7, 1, 5]),
    "plays.counted_once": ("plays", [1, 1, 1, 1]),
}


@dataclass(frozen=True)
class Plays:
    """The made-up product of the fixtures, with a contract of a test's own."""

    path: Path

    def edit(self, change: Callable[[dict[str, Any]], None]) -> Contract:
        document = yaml.safe_load(self.path.read_text(encoding="utf-8"))
        change(document)
        self.path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
        return load_contract(self.path)

    def only(self, *rules: str) -> Contract:
        """The contract with these rules alone, and no bounds of values."""

        def change(document: dict[str, Any]) -> None:
            (table,) = document["schema"]
            table["quality"] = [rule for rule in table["quality"] if rule["id"] in rules]
            for column in table["properties"]:
                column.pop("logicalTypeOptions", None)
                column["required"] = bool(column.get("primaryKey"))

        return self.edit(change)

    def state(self, **properties: Any) -> Contract:
        stated = [{"property": key, "value": value} for key, value in properties.items()]
        return self.edit(lambda document: document.update(customProperties=stated))


@pytest.fixture
def plays(tmp_path: Path) -> Plays:
    shutil.copytree(FIXTURES, tmp_path / "contracts")
    return Plays(tmp_path / "contracts" / "interactions" / "plays.odcs.yaml")


@contextmanager
def copied(contract: Contract, rows: str = PLAYS) -> Iterator[Copy]:
    connection = duckdb.connect()
    connection.execute("CREATE SCHEMA interactions")
    connection.execute("CREATE SCHEMA operational")
    types = ", ".join(f"{c.name} {c.duckdb_type}" for c in contract.columns)
    connection.execute(f"CREATE TABLE interactions.plays ({types})")
    if rows:
        connection.execute(f"INSERT INTO interactions.plays VALUES {rows}")
    connection.execute(
        "CREATE TABLE operational.users AS SELECT * FROM (VALUES (1::BIGINT, TRUE), (2, TRUE)) "
        "AS users(userId, active)"
    )
    with memory(connection, exp.to_table) as copies:
        yield Copy(copies, contract)


def bite_plays(contract: Contract, rows: str = PLAYS) -> Bitten:
    with copied(contract, rows) as copy:
        return bitten(copy.memory, contract, None, {}, [])


def test_each_family_damages_as_worked_out_by_hand(plays: Plays) -> None:
    contract = load_contract(plays.path)
    known = {damage.id: damage for damage in damages(contract)}
    families = {known[one].way.family for one in BY_HAND}
    assert families == {way.family for way in WAYS}
    with copied(contract) as copy:
        rows = copy.memory.rows(copy.undamaged)
        for name, (column, expected) in BY_HAND.items():
            found = copy.memory.rows(known[name].query(copy.rows))
            if column is None:
                assert sorted(found, key=repr) == sorted(
                    (rows[number - 1] for number in expected), key=repr
                ), name
                continue
            at = COLUMNS.index(column)
            values = {tuple(v for i, v in enumerate(r) if i != at): r[at] for r in found}
            got = (
                [values[tuple(v for i, v in enumerate(row) if i != at)] for row in rows]
                if (len(values) == len(rows))
                else [row[at] for row in found]
            )
            assert [str(v) if hasattr(v, "year") else v for v in got] == expected, name


def test_the_damages_follow_from_the_contract_alone(plays: Plays) -> None:
    contract = load_contract(plays.path)
    ids = [damage.id for damage in damages(contract)]
    assert len(ids) == len(set(ids))
    assert 40 <= len(WAYS) <= 60
    assert "plays.swapped_with_score" not in ids and "device.truncated" not in ids
    assert all(damage.words[0] in "`abcdefghijklmnopqrstuvwxyz" for damage in damages(contract))


def test_what_leaves_the_rows_as_they_are_does_not_count(plays: Plays) -> None:
    one = bite_plays(plays.only(), "(1, DATE '2018-01-01', 'tv', 3.0, 2)")
    assert {"rows.one_left", "plays.shifted", "plays.constant", "score.rounded"} <= set(one.equal)
    told = {survivor.damage for survivor in one.survivors}
    assert not told & set(one.equal) and not set(one.noticed) & set(one.equal)
    assert one.counted == len(one.noticed) + len(told)


def test_two_runs_say_the_same(plays: Plays) -> None:
    contract = load_contract(plays.path)
    first, second = bite_plays(contract), bite_plays(contract)
    assert first.noticed == second.noticed and first.survivors == second.survivors


def test_a_contract_without_rules_notices_little_and_one_with_rules_more(plays: Plays) -> None:
    whole = bite_plays(load_contract(plays.path))
    bare = bite_plays(plays.only())
    assert bare.share is not None and whole.share is not None
    assert bare.share < 0.4 < whole.share
    # Keys that are there and unique, and the words that are allowed, are all that is left.
    assert {rule.partition(".")[2] for rule in bare.noticed.values()} == {
        "unique",
        "required",
        "enum",
    }


def test_a_rule_that_the_rows_break_as_they_are_notices_nothing(plays: Plays) -> None:
    one = bite_plays(plays.only("some_plays", "row_count"), PLAYS.replace("3.0, 2", "3.0, 0"))
    assert one.broken == {"some_plays": "the rows break it as they are"}
    assert "some_plays" not in one.noticed.values()


def test_a_rule_that_cannot_be_asked_is_told_and_notices_nothing(plays: Plays) -> None:
    contract = plays.only("users_are_known")
    with copied(contract) as copy:
        copy.memory.connection.execute("DROP TABLE operational.users")
        one = bitten(copy.memory, contract, None, {}, [])
    assert "users does not exist" in one.broken["users_are_known"]


def test_suggestions_hold_and_notice_once_they_are_pasted(plays: Plays) -> None:
    contract = plays.only()
    users = load_contract(plays.path.parents[1] / "operational" / "users.odcs.yaml")
    with copied(contract) as copy:
        before = bitten(copy.memory, contract, None, {}, [users])
    suggested = {one.damage: one.suggestion for one in before.survivors if one.suggestion}
    assert {"rows.none", "user_id.without_one", "user_id.renumbered"} <= set(suggested)
    rules = {one.id: one for one in suggested.values()}

    text = plays.path.read_text(encoding="utf-8")
    pasted = "\n".join(line for one in rules.values() for line in one.lines(indent=2))
    assert text.count("  quality: []\n") == 1
    plays.path.write_text(text.replace("  quality: []\n", f"  quality:\n{pasted}\n"))
    problems = [p for p in lint([plays.path]).problems if "measuredBy" not in p.message]
    assert [p for p in problems if p.rule != "REFERENCE"] == []

    with copied(load_contract(plays.path)) as copy:
        after = bitten(copy.memory, load_contract(plays.path), None, {}, [users])
    assert after.broken == {}
    assert not set(suggested) & {one.damage for one in after.survivors}


def test_a_product_is_reconciled_with_what_it_is_made_from(plays: Plays) -> None:
    contract = plays.only()
    users = load_contract(plays.path.parents[1] / "operational" / "users.odcs.yaml")
    with copied(contract) as copy:
        one = bitten(copy.memory, contract, None, {}, [users])
    found = {survivor.damage: survivor.suggestion for survivor in one.survivors}
    rule = found["user_id.renumbered"]
    assert rule and rule.rule["implementation"]["reconcilesWith"] == "operational.users"
    assert rule.rule["implementation"]["by"] == {"user_id": "userId"}


SHARES = """
    (1, '2018-01-01', 'tv', 1.0, 5), (1, '2018-02-01', 'tv', 1.0, 3),
    (1, '2018-03-01', 'tv', 1.0, 6), (2, '2018-01-01', 'tv', 0.0, 4)
"""


@pytest.mark.parametrize(
    ("asked", "average"),
    [((), "AVG(IF(active = TRUE, 1, 0))"), (("userId < 2",), "AVG(IF(userId < 2, 1, 0))")],
)
def test_a_share_is_tied_to_the_rows_that_it_is_of(
    plays: Plays, asked: tuple[str, ...], average: str
) -> None:
    users = load_contract(plays.path.parents[1] / "operational" / "users.odcs.yaml")
    with copied(plays.only(), SHARES) as copy:
        active = "FALSE" if asked else "userId = 1"
        copy.memory.connection.execute(f"UPDATE operational.users SET active = {active}")
        wrong = "userId < 'x'", "nowhere = 1"
        found = bitten(copy.memory, copy.contract, None, {}, [users], asked=(*wrong, *asked))
    (halved,) = [one.suggestion for one in found.survivors if one.damage == "score.halved"]
    assert halved and halved.rule["implementation"] == {
        "reconcilesWith": "operational.users",
        "by": {"user_id": "userId"},
        "measures": {"MAX(score)": average},
    }


def test_two_values_that_are_the_same_by_chance_are_no_rule(plays: Plays) -> None:
    users = load_contract(plays.path.parents[1] / "operational" / "users.odcs.yaml")
    kind = replace(users.columns[0], name="kind", logical_type="string", grain_position=None)
    users = replace(users, columns=(*users.columns, kind))
    with copied(plays.only(), SHARES) as copy:
        copy.memory.connection.execute("ALTER TABLE operational.users ADD kind VARCHAR")
        copy.memory.connection.execute("UPDATE operational.users SET kind = 'tv'")
        device = copy.contract.column("device")
        found = [one.rule["implementation"] for one in reconciliations(copy, [users], device)]
    assert found == [
        {
            "reconcilesWith": "operational.users",
            "by": {"user_id": "userId"},
            "measures": {"MAX(device)": "MAX(kind)", "MIN(device)": "MIN(kind)"},
        }
    ]


def test_the_conditions_of_a_product_are_those_of_its_own_queries() -> None:
    models = {name: model(name, query) for name, query in QUERIES.items()}
    assert conditions(models, "shop.shares") == ["rating >= 4", "kind = 'new'"]
    assert [*lineage(models, "shop.shares")] == [
        *("shop.shares", "shop.ratings", "shop_internal.kinds", "shop.products"),
    ]


QUERIES = {
    "shop.shares": "SELECT r.id, AVG(IF(r.rating >= 4, 1, 0)) AS share FROM shop.ratings AS r "
    "JOIN shop_internal.kinds AS k ON k.id = r.id GROUP BY r.id HAVING COUNT(*) > 3",
    "shop_internal.kinds": "SELECT id FROM shop.products WHERE kind = 'new'",
    "shop.products": "SELECT id, kind FROM shop.raw WHERE id > 7",
}


def model(name: str, query: str) -> Model:
    text = f"MODEL (name {name}, dialect bigquery); {query}"
    return load_sql_based_model(parse(text, default_dialect="bigquery"), dialect="bigquery")


def test_of_many_numbers_the_two_that_fit_are_found(plays: Plays) -> None:
    def add(document: dict[str, Any]) -> None:
        columns = document["schema"][0]["properties"]
        (score,) = [column for column in columns if column["name"] == "score"]
        for name in ("rest", "sum"):
            columns.append({**score, "id": name, "name": name})

    plays.only()
    # `rest` is what `score` is above `plays`; `sum` is both together, but not in the last row.
    rows = """
        (1, DATE '2018-01-01', 'phone', 3.0, 2, 1.0, 5.0),
        (1, DATE '2018-02-01', 'tv', 4.5, 5, -0.5, 9.5),
        (2, DATE '2018-01-01', 'phone', 2.5, 1, 1.5, 3.5),
        (2, DATE '2018-03-01', NULL, 5.0, 4, 1.0, 8.0)
    """
    one = bite_plays(plays.edit(add), rows)
    found = {survivor.damage: survivor.suggestion for survivor in one.survivors}
    rule = found["rest.one_off"]
    assert rule and rule.id == "plays_is_score_less_rest"  # The same, found for `plays` before.


@pytest.mark.parametrize(
    ("months", "devices", "is_told"),
    [(11, ("phone", "tv"), True), (10, ("phone", "tv"), False), (11, ("tv", "tv"), False)],
)
def test_what_few_rows_could_have_broken_is_no_rule(
    plays: Plays, months: int, devices: tuple[str, str], is_told: bool
) -> None:
    """Of two users eleven months each, twenty rows repeat a user; where all is one, none tells."""
    rows = ", ".join(
        f"({user}, DATE '2018-{month:02}-01', '{device}', {month % 5}.0, {month})"
        for user, device in enumerate(devices, start=1)
        for month in range(1, months + 1)
    )
    one = bite_plays(plays.only(), rows)
    told = {survivor.suggestion.id for survivor in one.survivors if survivor.suggestion}
    assert ("one_device_per_user_id" in told) is is_told, told
    assert not {id for id in told if "user_id_is_at" in id or "is_at_most_user_id" in id}


@pytest.mark.parametrize(("months", "is_told"), [(1, False), (11, True)])
def test_of_one_value_alone_its_own_rows_tell_nothing(
    plays: Plays, months: int, is_told: bool
) -> None:
    """As of a history at first, of which all rows have the same time."""
    rows = ", ".join(
        f"({user}, DATE '2018-{1 + user % months:02}-01', 'tv', {user % 5}.0, {user % 7})"
        for user in range(1, 40)
    )
    one = bite_plays(plays.only(), rows)
    told = {survivor.suggestion.id for survivor in one.survivors if survivor.suggestion}
    assert ("month_is_a_first_day" in told) is is_told, told


def test_a_number_is_compared_with_amounts_and_with_no_identifier(plays: Plays) -> None:
    """What is `paid` ends as an identifier does, and is an amount."""

    def add(document: dict[str, Any]) -> None:
        columns = document["schema"][0]["properties"]
        (amount,) = [column for column in columns if column["name"] == "plays"]
        for name in ("genre_id", "paid"):
            columns.append({**amount, "id": name, "name": name})

    plays.only()
    contract = plays.edit(add)
    told = {
        proposal.rule["id"]
        for name in ("plays", "genre_id", "paid")
        for proposal in proposals(contract, contract.column(name), lambda *_: ())
        if proposal.is_loose
    }
    assert told == {
        f"{one}_is_at_{end}_{other}"
        for one, other in (("plays", "paid"), ("paid", "plays"))
        for end in ("most", "least")
    }


def test_where_no_shape_fits_it_says_so(plays: Plays) -> None:
    one = bite_plays(plays.only())
    found = {survivor.damage: survivor.suggestion for survivor in one.survivors}
    assert found["plays.one_off"] is None


def test_an_excused_damage_does_not_count_and_one_that_is_noticed_is_needless(
    plays: Plays,
) -> None:
    excused = {"plays.one_off": "Told twice.", "rows.none": "A sample.", "rows.doubled": "Never."}
    contract = plays.state(biteExcused=excused)
    from mesh.bite.excuses import excuses_of

    with copied(contract) as copy:
        one = bitten(copy.memory, contract, None, excuses_of(contract), [])
    assert one.excused == excused
    # Where a sample may have no rows, this one need not.
    assert one.needless == ("rows.doubled",)
    assert "plays.one_off" not in {survivor.damage for survivor in one.survivors}
    assert "rows.none" not in one.noticed


@pytest.mark.parametrize(
    ("stated", "message", "fix"),
    [
        ({"biteShare": 95}, "`biteShare: 95` is no share.", "Write 0 to 1, as 0.95."),
        ({"biteExcused": "all"}, "does not say which damages, and why", "{<damage>: <reason>}"),
        (
            {"biteExcused": {"plays.one_of": "So."}},
            "`plays.one_of` is no standard damage of interactions.plays.",
            "Did you mean `plays.one_off`?",
        ),
        (
            {"biteExcused": {"plays.one_off": " "}},
            "The damage `plays.one_off` is excused without a reason.",
            "Say why nobody would miss it.",
        ),
        ({"biteExcuse": {}}, "`biteExcuse` means nothing at a contract.", "`biteExcused`?"),
    ],
)
def test_what_a_contract_says_about_its_bite_is_linted(
    plays: Plays, stated: dict[str, Any], message: str, fix: str
) -> None:
    from mesh.bite.excuses import excuses_of

    contract = plays.state(**stated)
    (problem,) = lint_bite([plays.path.parent])
    assert message in problem.message and fix in problem.fix
    assert plays.path.read_text().splitlines()[problem.line - 1].strip()
    if "biteExcuse" not in stated:
        with pytest.raises(ContractInvalid, match=r"no share|which damages|no standard|a reason"):
            excuses_of(contract)


# On the project.


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> ProjectCopy:
    copy = copy_project(tmp_path_factory.mktemp("bite") / "project")
    shutil.copy2(built(copy, small_audience(), "dev"), copy.database)
    return copy


@pytest.fixture(scope="module")
def project(copy: ProjectCopy) -> Iterator[Opened]:
    with opened(copy, copy.database) as project:
        yield project


def test_no_environment_is_touched(copy: ProjectCopy, project: Opened) -> None:
    def tables() -> list[tuple]:
        return project.context.engine_adapter.fetchall(
            "SELECT database_name, schema_name, table_name, estimated_size FROM duckdb_tables() "
            "UNION ALL SELECT database_name, schema_name, view_name, 0 FROM duckdb_views() "
            "WHERE NOT internal ORDER BY ALL"
        )

    before = tables()
    report = bite(project, "dev", ["user_actions"])
    assert tables() == before
    (one,) = report.products
    assert one.product == "interactions.user_actions" and one.rows > 100


def test_what_cannot_be_bitten_is_a_sentence(project: Opened) -> None:
    with pytest.raises(WrongUse, match=r"There is no contract for user_acton. .*`user_actions`"):
        bite(project, "dev", ["user_acton"])
    with pytest.raises(WrongUse, match=r"there is no environment 'deb' .*Did you mean dev"):
        bite(project, "deb", ["user_actions"])


def test_a_source_is_bitten_where_it_is_named(project: Opened) -> None:
    report = bite(project, "dev", ["operational.tags"])
    assert [one.product for one in report.products] == ["operational.tags"]


def run(
    copy: ProjectCopy, patch: pytest.MonkeyPatch, *words: str, fails: int = 0
) -> tuple[str, str]:
    patch.setenv(DATABASE_VARIABLE, str(copy.database))
    done = CliRunner().invoke(app, ["contracts", *words, "--project", str(copy.root)])
    assert done.exit_code == fails, done.output
    return done.stdout, done.stderr


def test_the_command_says_what_survives_and_what_would_notice_it(
    copy: ProjectCopy, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = "contracts/interactions/user_movie_ratings.odcs.yaml"
    text = copy.read(path)
    without = yaml.safe_load(text)
    table = without["schema"][0]
    table["quality"] = [rule for rule in table["quality"] if rule["type"] != "custom"]
    with monkeypatch.context() as patch:
        copy.write(path, yaml.safe_dump(without, sort_keys=False))
        said, errors = run(copy, patch, "bite", "user_movie_ratings", fails=1)
        document = json.loads(run(copy, patch, "bite", "user_movie_ratings", "--json", fails=1)[0])
    copy.write(path, text)
    assert errors == ""
    first, *lines = said.splitlines()
    (one,) = document["products"]
    noticed, survivors = len(one["noticed"]), one["survivors"]
    assert first.startswith("✗ interactions.user_movie_ratings ")
    assert f": {noticed} of {noticed + len(survivors)} damages noticed, " in first
    assert first.endswith(" % (95 % demanded)")
    assert "  rows.half: every second row is gone. Noticed by " in said
    assert "  To be pasted under `quality` in contracts/interactions/user_movie_ratings" in said
    assert "          reconcilesWith: operational.ratings" in lines
    assert lines[-1].startswith(f"{noticed} of {noticed + len(survivors)} damages to 1 product of")
    assert one["demanded"] == 0.95 > one["share"] and one["ok"] is document["ok"] is False
    half = next(survivor for survivor in survivors if survivor["damage"] == "rows.half")
    assert half["suggestion"]["implementation"]["reconcilesWith"] == "operational.ratings"


def test_a_contract_that_cannot_be_read_and_excuses_that_mean_nothing_are_told(
    copy: ProjectCopy, project: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = "contracts/interactions/user_actions.odcs.yaml"
    text = copy.read(path)
    excuse = "customProperties: [{property: biteExcused, value: {rows.non: Why not.}}]\n"
    copy.write(path, f"{excuse}{text}")
    said, _ = run(copy, monkeypatch, "lint", fails=1)
    assert "user_actions.odcs.yaml:1: BITE: `rows.non` is no standard damage of" in said
    assert "Did you mean `rows.none`?" in said
    with pytest.raises(ContractInvalid, match=r"rows\.non"):
        bite(project, "dev", ["user_actions"])
    copy.write(path, text.replace("logicalType: integer", "logicalType: whole", 1))
    with pytest.raises(ContractInvalid, match="whole"):
        bite(project, "dev", ["user_actions"])
    copy.write(path, text)


def test_an_environment_behind_the_contract_is_told(copy: ProjectCopy, project: Opened) -> None:
    path = "contracts/engagement/audience_actions.odcs.yaml"
    text = copy.read(path)
    copy.write(path, text.replace("name: action_share", "name: share_of_actions"))
    behind = r"audience_actions in dev is not what its contract says: .*share_of_actions"
    with pytest.raises(CheckFailed, match=behind):
        bite(project, "dev", ["audience_actions"])
    copy.write(path, text)


def test_a_product_without_rows_is_not_called_well_guarded(plays: Plays) -> None:
    from mesh.cli.contracts_bite import _lines

    with copied(load_contract(plays.path), "") as copy:
        one = bitten(copy.memory, copy.contract, 0.95, {}, [])
    assert not one.ok and one.share is None
    (line,) = _lines(one, "dev")
    assert line == (
        "✗ interactions.plays has no rows in dev: nothing can be damaged, so nothing is known of "
        "what its rules notice."
    )
    with copied(load_contract(plays.path), "") as copy:
        excused = {"rows.none": "A sample may have no plays."}
        one = bitten(copy.memory, copy.contract, 0.95, excused, [])
    assert one.ok
    (line,) = _lines(one, "dev")
    assert line == (
        "interactions.plays has no rows in dev, which is excused: A sample may have no plays."
    )


def test_a_share_is_never_rounded_up(plays: Plays) -> None:
    from mesh.cli.contracts_bite import _percent

    assert [_percent(share) for share in (1.0, 0.95, 0.9499, 0.5)] == [
        "100 %",
        "95 %",
        "94.9 %",
        "50 %",
    ]


@dataclass(frozen=True)
class Sample:
    """What `mesh demo` builds without files, as something that can be delivered."""

    movies: int = SAMPLE_USERS
    ratings: int = SAMPLE_SEED
    tags: int = 0

    def deliver(self, folder: Path) -> Path:
        generate(folder, SAMPLE_USERS, SAMPLE_SEED)
        return folder


def test_each_contract_of_this_project_notices_95_percent_on_the_sample(
    copy: ProjectCopy,
) -> None:
    with opened(copy, built(copy, Sample(), "dev")) as project:
        report = bite(project, "dev")
    assert len(report.products) == PRODUCTS
    # Few users tag, so that in a sample of this size no movie has a tag of five.
    assert [one.product for one in report.products if not one.rows] == ["engagement.movie_tags"]
    shares = {one.product: one.share for one in report.products if one.rows}
    assert {product: share for product, share in shares.items() if (share or 0) < 0.95} == {}
    assert [one.broken for one in report.products if one.broken] == []
    assert [one.needless for one in report.products if one.needless] == []
    assert report.ok
