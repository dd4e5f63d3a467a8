"""What charts read, and that none of them can cost more than the least that BigQuery bills."""

from __future__ import annotations

from pathlib import Path

from sqlglot import parse_one

from mesh.contracts import Column, load_contracts
from mesh.contracts.constraints.length import Length
from mesh.cost.scan import Relations, scan
from mesh.cost.sizes import BYTES_OF, LEAST_PER_TABLE, TEXT_OVERHEAD, TableSize
from mesh.dashboards.chart_queries import chart_queries
from mesh.dashboards.controls import OneOf
from mesh.dashboards.read import load_dashboards
from mesh.dashboards.usage import read_usage
from tests.project_copy import PROJECT

SPECS, CONTRACTS = PROJECT.dashboards, PROJECT.contracts


def test_a_chart_reads_what_its_keys_name_and_what_its_metrics_and_its_source_do() -> None:
    usage = read_usage(SPECS)
    assert usage.unreadable == ()
    boards = [loaded.dashboard for loaded in load_dashboards(SPECS)]
    for board in boards:
        for chart in board.charts:
            use = usage.charts[f"{board.id}/{chart.id}"]
            assert use.product == board.sources[chart.source].product
            read = {*chart.columns_read(board), *(f.field for f in chart.filters)}
            read |= {board.metrics[name].field for name in chart.metric_names}
            assert read <= use.columns
            text = use.path.read_text(encoding="utf-8").splitlines()
            assert text[use.line - 1] == f"  - id: {chart.id}"
    movies = usage.charts["movie_trends/most_rated_movies"]
    assert {"movie_id", "rating_count", "previous_start", "as_of", "genres"} <= movies.columns
    assert movies.values["period"] == {"last_30_days", "last_182_days"}
    assert usage.charts["user_360/raters"].values == {
        "membership": {"members", "others"},
        "user_group": {"raters"},
    }


def test_what_charts_read_is_known_of_files_that_are_not_in_order(tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").write_text("id: [")
    (tmp_path / "sales.yml").write_text(
        "sources: {orders: {product: shop.orders, asof: day}}\n"
        "metrics: {amount: {field: amount}}\n"
        "charts:\n"
        "  - 3\n"
        "  - id: by_channel\n"
        "    kind: bar\n"
        "    source: orders\n"
        "    dimension: {field: channel, labels: {desk: The counter}}\n"
        "    metrics: [amount, 7]\n"
        "  - {id: odd, kind: cake, source: elsewhere.sales}\n"
    )
    usage = read_usage(tmp_path)
    assert [path.name for path in usage.unreadable] == ["broken.yaml"]
    bar, odd = usage.charts["sales/by_channel"], usage.charts["sales/odd"]
    assert (bar.product, bar.line) == ("shop.orders", 5)
    assert (bar.columns, bar.values) == ({"channel", "amount"}, {"channel": {"desk"}})
    assert (odd.product, odd.columns) == ("elsewhere.sales", set())
    assert read_usage(tmp_path / "nowhere").charts == {}


def widest(column: Column) -> float:
    """The most bytes of one value; texts are taken to hold 200 on average, or what they may."""
    if column.bigquery_type in BYTES_OF:
        return BYTES_OF[column.bigquery_type]
    if column.enum:
        return TEXT_OVERHEAD + max(len(str(allowed.value).encode()) for allowed in column.enum)
    length = column.promise(Length)
    return TEXT_OVERHEAD + min(4 * length.most if length and length.most else 200, 200)


def test_no_chart_can_reach_the_least_that_bigquery_bills() -> None:
    known = load_contracts(CONTRACTS)
    sizes = {
        product: TableSize(
            min((r.maximum for r in one.table_rules() if r.maximum is not None), default=10**12),
            {column.name: widest(column) for column in one.columns},
        )
        for product, one in known.items()
    }
    schemas = {p: {c.name: c.bigquery_type for c in one.columns} for p, one in known.items()}
    found = chart_queries(PROJECT)
    boards = [loaded.dashboard for loaded in load_dashboards(SPECS)]
    listed = [one for board in boards for one in board.controls if isinstance(one, OneOf)]
    assert len(found) == sum(len(board.charts) for board in boards) + len(listed)
    relations = Relations(schemas, {}, sizes)
    for one in found:
        scanned = scan(parse_one(one.sql, dialect="bigquery"), relations).scanned
        assert 0 < scanned < LEAST_PER_TABLE, one.subject
