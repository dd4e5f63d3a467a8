"""What queries scan on BigQuery: sizes per type, columns, partitions, views, and the commands."""

from __future__ import annotations

import json
from datetime import date
from types import SimpleNamespace

import duckdb
import pytest
from sqlglot import exp, parse_one
from typer.testing import CliRunner

from mesh.contracts.types import today
from mesh.cost.estimate import ChartCost, Cost, ModelCost, estimate, typical_month
from mesh.cost.scan import Relations, scan
from mesh.cost.sizes import LEAST_PER_TABLE, TIB, TableSize, price
from mesh.cost.statistics import _measure
from mesh.errors import WrongUse
from tests.project_copy import PROJECT

MONTHS = {date(2018, month, 1): 100.0 for month in range(1, 11)}
RELATIONS = Relations(
    schemas={
        "raw.ratings": {"userId": "INT64", "rating": "FLOAT64", "at": "TIMESTAMP"},
        "raw.movies": {"movieId": "INT64", "title": "STRING"},
        "shop.recent": {"userId": "INT64", "rating": "FLOAT64"},
        "shop.rated": {"user": "INT64", "month": "DATE", "rating": "FLOAT64", "best": "FLOAT64"},
        "shop.seen": {"user": "INT64", "month": "DATE"},
    },
    views={
        "shop.recent": parse_one(
            "SELECT userid AS userid, rating AS rating FROM raw.ratings "
            "WHERE at >= CAST('2018-09-01 00:00:00+00:00' AS TIMESTAMP)",
            dialect="bigquery",
        ),
        "shop.rated": parse_one(
            "SELECT userId AS user, DATE_TRUNC(DATE(at), MONTH) AS month, rating, "
            "MAX(rating) OVER (PARTITION BY userId) AS best FROM raw.ratings",
            dialect="bigquery",
        ),
        "shop.seen": parse_one("SELECT user, month FROM shop.rated", dialect="bigquery"),
    },
    sizes={
        "raw.ratings": TableSize(1000, {"userid": 8, "rating": 8, "at": 8}, "at", MONTHS),
        "raw.movies": TableSize(10, {"movieid": 8, "title": 22}),
    },
)


def scanned(sql: str) -> float:
    return scan(parse_one(sql, dialect="bigquery"), RELATIONS).scanned


def test_the_month_is_of_the_largest_table_by_months() -> None:
    small = TableSize(
        30, {"id": 8}, "at", {date(2010 + n // 12, n % 12 + 1, 1): 1 for n in range(30)}
    )
    assert typical_month({"small": small, **RELATIONS.sizes}) == date(2018, 10, 1)
    assert typical_month({"small": small}) == date(2012, 6, 1)
    assert typical_month({"raw.movies": RELATIONS.sizes["raw.movies"]}) == today().replace(day=1)


def test_only_the_columns_that_are_read_count() -> None:
    assert scanned("SELECT userId FROM raw.ratings") == 8 * 1000
    assert scanned("SELECT * FROM raw.movies") == 30 * 10
    assert scanned("SELECT r.rating FROM (SELECT * FROM raw.ratings) AS r") == 8 * 1000
    assert scanned("SELECT COUNT(*) AS n FROM raw.ratings") == 0


def test_only_the_partitions_that_a_filter_leaves_count() -> None:
    month = "at BETWEEN TIMESTAMP '2018-09-01 00:00:00' AND TIMESTAMP '2018-09-30 23:59:59'"
    assert scanned(f"SELECT rating FROM raw.ratings WHERE {month}") == 16 * 100
    assert scanned("SELECT at FROM raw.ratings WHERE at >= TIMESTAMP '2018-09-15'") == 8 * 200
    assert scanned("SELECT at FROM raw.ratings WHERE at IS NOT NULL") == 8 * 1000
    assert scanned("SELECT at FROM raw.ratings WHERE DATE(at) = DATE '2018-03-04'") == 8 * 100


def test_of_a_table_by_days_a_day_counts_as_one() -> None:
    table = TableSize(1000, {"at": 8}, "at", MONTHS, by_days=True)
    assert table.rows_between(date(2018, 9, 30), date(2018, 9, 30)) == pytest.approx(100 / 30)
    assert table.rows_between(date(2018, 8, 1), date(2018, 9, 15)) == pytest.approx(150)
    assert table.rows_between(date(2018, 10, 31), None) == pytest.approx(100 / 31)
    by_months = TableSize(1000, {"at": 8}, "at", MONTHS)
    assert by_months.rows_between(date(2018, 9, 30), date(2018, 9, 30)) == 100


def test_a_filter_that_is_no_constant_saves_nothing() -> None:
    sql = "SELECT r.at FROM raw.ratings AS r, raw.movies AS m WHERE DATE(r.at) > DATE(m.title)"
    assert scanned(sql) == 8 * 1000 + 22 * 10


def test_a_view_costs_what_its_query_needs() -> None:
    assert scanned("SELECT rating FROM shop.recent") == 16 * 200


def test_days_are_left_out_behind_views() -> None:
    assert scanned("SELECT user FROM shop.seen") == 8 * 1000
    # Of the last two of the ten months: who (8 bytes) and when (8).
    assert scanned("SELECT user FROM shop.seen WHERE month >= DATE '2018-09-01'") == 16 * 200
    assert scanned("SELECT user FROM shop.rated WHERE month = DATE '2018-03-01'") == 16 * 100
    inner = "WITH s AS (SELECT * FROM shop.seen) SELECT user FROM s WHERE"
    assert scanned(f"{inner} month BETWEEN DATE '2018-02-01' AND DATE '2018-04-30'") == 16 * 300
    joined = "SELECT s.user FROM raw.movies AS m JOIN shop.seen AS s ON s.user = m.movieId"
    assert scanned(f"{joined} AND s.month < DATE '2018-02-15'") == 16 * 200 + 8 * 10


def test_days_are_read_that_a_result_needs_beside_those_of_its_rows() -> None:
    month = "WHERE month >= DATE '2018-09-01'"
    assert scanned(f"SELECT best FROM shop.rated {month}") == 24 * 1000
    grouped = "SELECT month, COUNT(*) AS n FROM shop.rated GROUP BY month"
    assert scanned(f"SELECT n FROM ({grouped}) AS g {month}") == 8 * 1000


def test_days_are_constants_that_may_be_reckoned() -> None:
    since = "SELECT at FROM raw.ratings WHERE DATE(at) >= DATE_SUB(DATE '2018-09-01', INTERVAL {})"
    assert scanned(since.format("2 MONTH")) == 8 * 400
    assert scanned(since.format("(SELECT MAX(movieId) FROM raw.movies) MONTH")) == 8 * 1000 + 8 * 10
    # A quarter that begins in July ends in September.
    quarter = "DATE_TRUNC(DATE(at), QUARTER) = DATE '2018-07-01'"
    assert scanned(f"SELECT at FROM raw.ratings WHERE {quarter}") == 8 * 1000


def test_a_query_that_others_name_is_read_once_with_what_they_need() -> None:
    sql = """
      WITH r AS (SELECT * EXCEPT (at), DATE(at) AS day FROM raw.ratings)
      SELECT a.rating FROM r AS a JOIN r AS b ON a.userId = b.userId
      WHERE a.day >= DATE '2018-09-01' AND b.day >= DATE '2018-10-01'
    """
    assert scanned(sql) == 24 * 1000
    views = "SELECT user FROM shop.seen WHERE month = DATE '2018-{}-01'"
    both = f"{views.format('03')} UNION ALL {views.format('05')}"
    assert scanned(both) == 16 * 300


def test_columns_of_both_sides_of_a_union_stand_at_the_same_place() -> None:
    both = "SELECT userId, rating FROM raw.ratings UNION {} SELECT movieId, 0 FROM raw.movies"
    assert scanned(f"SELECT rating FROM ({both.format('ALL')})") == 8 * 1000
    assert scanned(f"SELECT userId FROM ({both.format('ALL')})") == 8 * 1000 + 8 * 10
    assert scanned(f"SELECT rating FROM ({both.format('DISTINCT')})") == 16 * 1000 + 8 * 10


def test_days_are_left_out_on_both_sides_of_a_union() -> None:
    day = "SELECT DATE(at) AS {} FROM raw.ratings {}"
    where = "WHERE DATE(at) >= DATE '2018-08-01'"
    both = f"{day.format('day', '')} UNION ALL {day.format('other', where)}"
    query = f"SELECT day FROM ({both}) AS both_sides WHERE day >= DATE '2018-09-01'"
    assert scanned(query) == 8 * 200
    # Of which rows a limit keeps, what is asked of them later decides nothing.
    assert scanned(query.replace(") AS both", " LIMIT 9) AS both")) == 8 * 1000


def test_names_are_looked_up_where_sql_does() -> None:
    grouped = "SELECT n FROM (SELECT DATE(at) AS day, COUNT(*) AS n FROM raw.ratings GROUP BY {})"
    assert scanned(grouped.format("day")) == scanned(grouped.format("1")) == 8 * 1000
    there = "SELECT title FROM raw.movies WHERE EXISTS (SELECT 1 FROM raw.ratings WHERE {})"
    assert scanned(there.format("userId = movieId")) == 8 * 1000 + 30 * 10
    words = "SELECT word FROM raw.movies CROSS JOIN UNNEST(SPLIT(title, ' ')) AS word"
    assert scanned(f"{words} WHERE word <> ''") == 22 * 10
    assert (
        scanned("SELECT m.title FROM raw.ratings JOIN raw.movies AS m USING (movieId)") == 30 * 10
    )


def test_a_table_that_stands_twice_counts_once_with_all_that_is_needed() -> None:
    sql = "SELECT a.rating FROM raw.ratings AS a JOIN raw.ratings AS b ON a.userId = b.userId"
    assert scanned(sql) == 16 * 1000


def test_bigquery_bills_ten_megabytes_for_the_smallest_table() -> None:
    one = scan(parse_one("SELECT title FROM raw.movies"), RELATIONS)
    assert (one.scanned, one.billed) == (220, LEAST_PER_TABLE)
    assert price(TIB, 6.25) == 6.25


def stored(database: duckdb.DuckDBPyConnection, *columns: str) -> SimpleNamespace:
    """What is asked of a project: rows of a query, and the columns of a table."""
    adapter = SimpleNamespace(columns=lambda table: dict.fromkeys(columns))
    return SimpleNamespace(
        context=SimpleNamespace(engine_adapter=adapter),
        rows=lambda query: database.execute(query.sql(dialect="duckdb")).fetchall(),
    )


def test_sizes_are_those_that_google_publishes() -> None:
    database = duckdb.connect()
    database.execute(
        "CREATE TABLE t AS SELECT * FROM (VALUES "
        "(1, 'é', TRUE, TIMESTAMP '2018-09-03 00:00:00'), "
        "(NULL, NULL, FALSE, TIMESTAMP '2018-10-03 00:00:00')) AS v(n, s, b, rated)"
    )
    local = stored(database, "n", "s", "b", "rated")
    model = SimpleNamespace(
        partitioned_by=[parse_one("TIMESTAMP_TRUNC(rated, MONTH)", dialect="bigquery")]
    )
    columns = {"n": "INT64", "s": "STRING", "b": "BOOL", "rated": "TIMESTAMP"}
    project = SimpleNamespace(columns=lambda name: columns, models={"x.t": model}, project=PROJECT)
    size = _measure(project, local, "x.t", exp.to_table("t"))
    # A NULL counts nothing, a text two bytes and its length in UTF-8.
    assert size.columns == {"n": 4.0, "s": 2.0, "b": 1.0, "rated": 8.0}
    assert size.rows == 2
    assert size.months == {date(2018, 9, 1): 1.0, date(2018, 10, 1): 1.0}


def test_a_column_that_the_environment_lacks_counts_by_its_type() -> None:
    """What a change adds is reckoned before anything was planned with it."""
    connection = duckdb.connect()
    connection.execute("CREATE TABLE events AS SELECT 7 AS id, TIMESTAMP '2018-09-24' AS moment")
    local = stored(connection, "id", "moment")
    model = SimpleNamespace(partitioned_by=[exp.column("day")])
    project = SimpleNamespace(
        models={"shop.events": model},
        columns=lambda name: {"id": "INT64", "moment": "TIMESTAMP", "day": "DATE", "tag": "STRING"},
    )
    size = _measure(project, local, "shop.events", exp.to_table("events"))
    assert size.columns == {"id": 8, "moment": 8, "day": 8, "tag": 2}
    assert size.months == {date(2018, 9, 1): 1}


def test_without_rows_there_is_nothing_to_reckon_from() -> None:
    with pytest.raises(WrongUse, match=r"no rows to count from.*sqlmesh plan dev"):
        estimate(SimpleNamespace(models={}, project=PROJECT), {})


def costs(monthly: float) -> Cost:
    model = ModelCost("a.b", monthly, 2e7, 1e6, 5e8, 5e8)
    return Cost(25_000_000, date(2018, 9, 1), (model,), (ChartCost("d/c", 1234, 1e7),))


@pytest.fixture()
def command(monkeypatch: pytest.MonkeyPatch):
    import mesh.cost
    from mesh.cli.main import app

    monkeypatch.setattr(mesh.cost, "cost", lambda *_, **__: costs(3e6))
    monkeypatch.setattr(mesh.cost, "cost_of_revision", lambda *_, **__: costs(2e6))
    return lambda *words: CliRunner().invoke(app, ["cost", *words])


@pytest.mark.parametrize("option", ["--price", "--rows"])
@pytest.mark.parametrize("value", ["inf", "1e400", "nan", "-1", str(10**400)])
def test_what_is_no_price_and_no_number_of_rows_is_refused(command, option, value) -> None:
    result = command(option, value, "--json")
    assert result.exit_code == 2 and f"Invalid value for '{option}'" in result.output


def test_the_table_shows_models_charts_and_the_price(command) -> None:
    told = " ".join(command("--price", "5").output.split())
    assert "25,000,000 rows in the largest source, month 2018-09" in told
    assert "a.b 1 3.0 MB 1.0 MB 500.0 MB" in told
    assert "d/c 1.2 kB" in told
    assert "At 5.00 US dollars per TiB" in told
    assert "as many runs of each model as its `cron` says" in told


def test_two_revisions_are_shown_by_their_difference(command) -> None:
    told = " ".join(command("--base", "main").output.split())
    assert "a.b 1 3.0 MB 1.0 MB 500.0 MB +1.0 MB" in told
    data = json.loads(command("--base", "main", "--json").output)
    assert (data["monthly"], data["base"]["monthly"]) == (3_000_000, 2_000_000)
    assert data["models"]["a.b"]["monthly_billed"] == 20_000_000
