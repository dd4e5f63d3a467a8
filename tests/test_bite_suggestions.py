"""Rules that would notice what a contract does not: found in rows and queries, or not at all."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlmesh.core.dialect import parse
from sqlmesh.core.model import Model, load_sql_based_model

from mesh.bite.conditions import conditions, lineage
from mesh.bite.reconcile import reconciliations
from mesh.bite.run import bitten
from mesh.bite.shapes import proposals
from mesh.contracts import load_contract
from mesh.contracts.lint import lint
from tests.biting import Plays, bite_plays, copied, plays_in


@pytest.fixture
def plays(tmp_path: Path) -> Plays:
    return plays_in(tmp_path)


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
