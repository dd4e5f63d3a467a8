"""Which damages a contract of made-up plays notices, and which of them count."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mesh.bite.excuses import lint_bite
from mesh.bite.run import bitten
from mesh.bite.ways import WAYS, damages
from mesh.contracts import ContractInvalid, load_contract
from tests.biting import COLUMNS, PLAYS, Plays, bite_plays, copied, plays_in

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


@pytest.fixture
def plays(tmp_path: Path) -> Plays:
    return plays_in(tmp_path)


def test_the_rows_are_damaged_as_worked_out_by_hand(plays: Plays) -> None:
    contract = load_contract(plays.path)
    known = {damage.id: damage for damage in damages(contract)}
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
