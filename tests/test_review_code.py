"""Code that a model calls: what it makes of the rows is told, and where it was changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from mesh.project import Project
from mesh.review.rules import Finding, Level
from mesh.review.run import compare_projects
from tests.review_projects import TODAY, load_here, shop

ORDERS = "models/shop/orders.sql"
SIGNAL = """from sqlmesh import signal


def ready() -> bool:
    return True


@signal()
def delivered(batch: object) -> bool:
    return ready()
"""
KIND = """from sqlmesh import CustomMaterialization


class Whole(CustomMaterialization):
    NAME = "whole"

    def insert(self, table_name, query_or_df, model, is_first_insert, render_kwargs, **_):
        self._replace_query_for_model(model, table_name, query_or_df, render_kwargs)
"""
JINJA = "{% macro shown(amount) %}\n  {{ amount }}\n{% endmacro %}\n"
QUERY = """MODEL (name shop.orders, kind VIEW, grain order_id);
JINJA_QUERY_BEGIN;
SELECT
  order_id,
  customer,
  channel,
  CAST({{ shown('price') }} AS FLOAT64) AS amount
FROM shop_internal.order_lines
JINJA_END;
"""


def put(side: Path, file: str, text: str) -> None:
    (side / file).parent.mkdir(parents=True, exist_ok=True)
    (side / file).write_text(text)


def sub(side: Path, file: str, old: str, new: str) -> None:
    text = (side / file).read_text()
    assert old in text, old
    put(side, file, text.replace(old, new))


def sides(tmp_path: Path, file: str, text: str, old: str, new: str) -> tuple[Path, Path]:
    """The shop twice with another file, and another part of the model of orders."""
    made = shop(tmp_path / "before"), shop(tmp_path / "after")
    for side in made:
        put(side, file, text)
        sub(side, ORDERS, old, new)
    return made


def found(before: Path, after: Path) -> list[Finding]:
    every = compare_projects(Project(before), Project(after), load_here, TODAY).findings
    return [one for one in every if one.rule != "VERSION_TOO_SMALL"]


@pytest.mark.parametrize(
    ("file", "text", "old", "new", "edit", "at"),
    [
        (
            *("signals/__init__.py", SIGNAL, "kind VIEW", "kind FULL, signals [delivered()]"),
            *(("return True", "return False"), 5),
        ),
        (
            *("materializations/whole.py", KIND),
            *("kind VIEW", "kind CUSTOM (materialization 'whole')"),
            *(("self._replace", "None and self._replace"), 8),
        ),
    ],
    ids=["signal", "materialization"],
)
def test_code_beside_a_query_is_seen_at_its_line(
    file: str, text: str, old: str, new: str, edit: tuple[str, str], at: int, tmp_path: Path
) -> None:
    before, after = sides(tmp_path, file, text, old, new)
    put(after, file, f"# Another comment.\n{text}")
    assert found(before, after) == []
    put(after, file, text)
    sub(after, file, *edit)
    (one,) = found(before, after)
    assert (one.rule, one.level, one.product) == (
        "MODEL_SAME_BESIDE",
        Level.BREAKING,
        "shop.orders",
    )
    assert str(one.where) == f"{file}:{at}" and "Beside the query, the code of" in one.message


def test_a_macro_in_jinja_is_where_its_change_stands(tmp_path: Path) -> None:
    before, after = shop(tmp_path / "before"), shop(tmp_path / "after")
    for side in (before, after):
        put(side, "macros/shown.sql", JINJA)
        put(side, ORDERS, QUERY)
    sub(after, "macros/shown.sql", "{{ amount }}", "{{ amount }} * 2")
    every = compare_projects(Project(before), Project(after), load_here, TODAY)
    (one,) = [one for one in every.findings if one.rule == "COLUMN_SAME_MEANING"]
    assert str(one.where) == "macros/shown.sql:2" and one.made_in == ("macros/shown.sql",)
    assert "take the change out of macros/shown.sql" in every.verdicts[0].write


DAILY = """MODEL (name shop.orders, kind INCREMENTAL_BY_TIME_RANGE (
  time_column day, batch_size 1), columns (order_id INT64, customer INT64, channel STRING,
  amount FLOAT64, day DATE));
SELECT order_id, customer, channel, {amount} AS amount, {day} AS day
FROM shop_internal.order_lines {more}"""
BETWEEN = "WHERE DATE '2026-01-01' BETWEEN @start_date AND @end_date"


@pytest.mark.parametrize(
    ("amount", "day", "more", "decides"),
    [
        ("price", "@start_date", BETWEEN, False),
        ("price", "@end_date", "", True),
        ("SUM(price) OVER (PARTITION BY customer)", "@start_date", BETWEEN, True),
        ("price", "@start_date", f"{BETWEEN} ORDER BY price LIMIT 10", True),
        (
            *("price", "@start_date"),
            *(f"{BETWEEN} AND NOT order_id IN (SELECT order_id FROM shop.orders)", True),
        ),
    ],
    ids=["a span", "its end alone", "a window over days", "a limit", "itself"],
)
def test_a_batch_counts_where_it_decides_about_rows(
    amount: str, day: str, more: str, decides: bool, tmp_path: Path
) -> None:
    before, after = shop(tmp_path / "before"), shop(tmp_path / "after")
    for side in (before, after):
        put(side, ORDERS, DAILY.format(amount=amount, day=day, more=more))
    sub(after, ORDERS, "batch_size 1", "batch_size 7")
    said = [(one.rule, one.level, one.before, one.after) for one in found(before, after)]
    told = ("ROWS_SAME_UPKEEP", Level.BREAKING, "batch_size 1", "batch_size 7")
    assert said == [told] * decides


AHEAD = """MODEL (name shop.orders, kind INCREMENTAL_BY_TIME_RANGE (time_column day), cron '@daily',
columns (order_id INT64, customer INT64, channel STRING, amount FLOAT64, day DATE));
WITH numbered AS (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY order_id ORDER BY price) AS place
  FROM shop_internal.order_lines {within}
)
SELECT order_id, customer, channel, price AS amount, DATE '2026-01-01' AS day
FROM numbered WHERE place = 1 {behind}"""


@pytest.mark.parametrize(
    ("within", "behind", "decides"),
    [("", BETWEEN.replace("WHERE", "AND"), False), (BETWEEN, "", True)],
    ids=["of all rows", "of those of a batch"],
)
def test_what_is_ranked_before_a_batch_is_picked_is_the_same_in_any(
    within: str, behind: str, decides: bool, tmp_path: Path
) -> None:
    before, after = shop(tmp_path / "before"), shop(tmp_path / "after")
    for side in (before, after):
        put(side, ORDERS, AHEAD.format(within=within, behind=behind))
    sub(after, ORDERS, "@daily", "@hourly")
    said = [one.after for one in found(before, after) if one.rule == "ROWS_SAME_UPKEEP"]
    assert said == ["interval_unit hour"] * decides


def test_that_a_batch_decides_no_more_is_no_other_batch(tmp_path: Path) -> None:
    """The window moves into a step of its own, where it sees all rows: that is told of the rows."""
    before, after = shop(tmp_path / "before"), shop(tmp_path / "after")
    put(before, ORDERS, AHEAD.format(within=BETWEEN, behind=""))
    put(after, ORDERS, AHEAD.format(within="", behind=BETWEEN.replace("WHERE", "AND")))
    rules = {one.rule for one in found(before, after)}
    assert "ROWS_SAME_UPKEEP" not in rules and "ROWS_SAME_MEANING" in rules
