"""Models that stand beside the real ones, and what BigQuery says of how they are kept and typed."""

from __future__ import annotations

from dataclasses import dataclass

RATINGS = (
    "SELECT userid::INT64 AS userid, movieid::INT64 AS movieid, rating::FLOAT64 AS rating, "
    "r.timestamp::TIMESTAMP AS at, DATE(r.timestamp) AS day, 'a' AS word, [1, 2] AS list, "
    "STRUCT(1 AS a) AS record FROM operational.ratings AS r"
)
MOMENTS = "SELECT userid::INT64 AS userid, r.timestamp::TIMESTAMP AS at FROM operational.ratings r"
FILTER = "physical_properties (require_partition_filter = true)"


@dataclass(frozen=True)
class Own:
    """A model of its own, and what must be said of it; nothing if it is right.

    header: what stands behind the kind. line: where it must be said.
    """

    kind: str
    header: str
    query: str
    said: str = ""
    rule: str = "limit"
    line: int = 1


def stored(by: str, said: str = "", kind: str = "FULL") -> Own:
    return Own(kind, by, RATINGS, said)


def materialized(query: str, said: str = "", header: str = "") -> Own:
    text = f"{query} FROM interactions_internal.own_by_day"
    return Own("VIEW (materialized true)", header, text, said, line=5)


def view(query: str, said: str = "", rule: str = "output") -> Own:
    return Own("VIEW", "", query, said, rule, 5)


OWN = {
    "own_by_day": stored("partitioned_by day"),
    "own_by_day_of_a_moment": stored("partitioned_by DATE(at)"),
    "own_by_month": stored("partitioned_by TIMESTAMP_TRUNC(at, MONTH), clustered_by (word, day)"),
    "own_by_ranges": stored("partitioned_by RANGE_BUCKET(userid, GENERATE_ARRAY(0, 100, 10))"),
    "own_by_time": Own(
        "INCREMENTAL_BY_TIME_RANGE (time_column at)", "",
        f"{RATINGS} WHERE r.timestamp BETWEEN @start_ts AND @end_ts",
    ),
    "own_by_number": stored(
        "partitioned_by userid",
        "BigQuery partitions by userid, an INT64, in ranges alone: write RANGE_BUCKET(userid, ",
    ),
    "own_by_moment": stored(
        "partitioned_by at",
        "BigQuery partitions by at, a TIMESTAMP, by a unit: write TIMESTAMP_TRUNC(at, …) with "
        "HOUR, DAY, MONTH or YEAR.",
    ),
    "own_by_week": stored(
        "partitioned_by DATE_TRUNC(day, WEEK)",
        "BigQuery cannot partition by DATE_TRUNC(`day`, WEEK): take day for days, or write "
        "DATE_TRUNC(day, …) with MONTH or YEAR.",
    ),
    "own_by_a_function_of_dates": stored(
        "partitioned_by DATE_TRUNC(at, MONTH)", "write TIMESTAMP_TRUNC(at, …) with HOUR",
    ),
    "own_by_word": stored(
        "partitioned_by word", "cannot partition by word, a STRING: take a date or a time.",
    ),
    "own_clustered_by_a_function": stored(
        "clustered_by LOWER(word)",
        "BigQuery clusters by columns alone, not by LOWER(`word`): make a column of it.",
    ),
    "own_clustered_by_a_list": stored(
        "clustered_by list", "cannot cluster by list, which is ARRAY<INT64>: take a key.",
    ),
    "own_clustered_by_a_record": stored(
        "clustered_by record", "cannot cluster by record, which is STRUCT<a INT64>: take a key.",
    ),
    "own_clustered_by_a_float": stored("clustered_by rating", "which is FLOAT64: take a key."),
    "own_filter_without_partitions": stored(FILTER, "require_partition_filter needs partitions"),
    "own_merged_with_a_filter": stored(
        f"partitioned_by day, {FILTER}",
        "from the second run on, MERGE reads the whole table, which require_partition_filter "
        "forbids: compare target.day with a constant in the kind's merge_filter",
        kind="INCREMENTAL_BY_UNIQUE_KEY (unique_key userid)",
    ),
    "own_merged_by_partition": stored(
        f"partitioned_by day, {FILTER}",
        kind="INCREMENTAL_BY_UNIQUE_KEY (unique_key (userid, day), "
        "merge_filter target.day > DATE '2018-01-01')",
    ),
    "own_history_with_a_filter": Own(
        "SCD_TYPE_2_BY_COLUMN (unique_key userid, columns [movieid])",
        f"partitioned_by DATE(valid_from), {FILTER}",
        "SELECT userid::INT64 AS userid, movieid::INT64 AS movieid FROM operational.ratings",
        "SQLMesh reads the whole history before it adds to it",
    ),
    "own_history_of_moments": Own(
        "SCD_TYPE_2_BY_TIME (unique_key userid, updated_at_name at)", "",
        MOMENTS,
        "BigQuery does not compare at, a TIMESTAMP, with the DATETIME that SQLMesh keeps as the "
        "history's times: write time_data_type TIMESTAMP in the kind.",
        "refused", 3,
    ),
    "own_history": Own(
        "SCD_TYPE_2_BY_TIME (unique_key userid, updated_at_name at, time_data_type TIMESTAMP)", "",
        MOMENTS,
    ),
    "own_kept_up_to_date": materialized(
        "SELECT COUNT(*) AS n, ARRAY_AGG(day ORDER BY day LIMIT 2) AS days"
    ),
    "own_ranks_kept_up_to_date": materialized(
        "SELECT day, ROW_NUMBER() OVER (ORDER BY day) AS place",
        "BigQuery keeps no materialized view up to date that has a window function: make the kind "
        "FULL, or set allow_non_incremental_definition with a max_staleness.",
    ),
    "own_today_kept_up_to_date": materialized(
        "SELECT day, CURRENT_DATE() AS today", "has what differs from one moment to the next",
    ),
    "own_texts_kept_up_to_date": materialized("SELECT STRING_AGG(word) AS t", "has STRING_AGG"),
    "own_ranks_made_anew": materialized(
        "SELECT day, ROW_NUMBER() OVER (ORDER BY day) AS place", header="physical_properties "
        "(allow_non_incremental_definition = true, max_staleness = INTERVAL '4' HOUR)",
    ),
    "own_names_of_bigquerys": view(
        "SELECT 1 AS _table_x, 2 AS _partitions, 3 AS _change_type, 4 AS _tables",
        "column 1 of the query is called `_table_x`: BigQuery has such columns of its own.",
    ),
    "own_tables": view("SELECT 4 AS _tables, 5 AS _filed, 6 AS changed"),
    # SQLMesh takes the place for one of the records.
    "own_places": view(
        "SELECT r.userid, part.word, place FROM "
        "(SELECT 1 AS userid, [STRUCT('a' AS word)] AS parts) AS r "
        "CROSS JOIN UNNEST(r.parts) AS part WITH OFFSET AS place"
    ),
    "own_reader_of_places": view(
        "SELECT userid, CAST(place AS INT64) + 1 AS line, word "
        "FROM interactions_internal.own_places WHERE place > 0"
    ),
    "own_records": Own("FULL", "", "SELECT STRUCT(1 AS id, 'a' AS word) AS record"),
    "own_most": view("SELECT APPROX_TOP_COUNT(title, 3) AS most FROM operational.movies"),
    "own_reader_of_most": view(
        "SELECT most[SAFE_OFFSET(0)].value AS first FROM interactions_internal.own_most"
    ),
    "own_most_stored": Own(
        "FULL", "", "SELECT APPROX_TOP_COUNT(title, 3) AS most FROM operational.movies",
        "column most is ARRAY<STRUCT<value STRING, count INT64>> in BigQuery, and "
        "ARRAY<STRUCT<STRING, INT64>> by SQLMesh, which stores it so: cast it.", "output", 5,
    ),
    # Many tables under one name, as an export of each day.
    "own_of_many_tables": view(
        "SELECT name, _TABLE_SUFFIX AS day FROM `exports.events_*` WHERE _TABLE_SUFFIX > '20240101'"
    ),
    "own_of_many_joined": view(
        "SELECT e.* FROM exports.`events_*` AS e "
        "JOIN interactions_internal.own_of_many_tables AS t USING (name) "
        "WHERE e._TABLE_SUFFIX = t.day"
    ),
    "own_suffix_of_one_table": view(
        "SELECT _TABLE_SUFFIX AS day FROM operational.movies", "Unrecognized name: _",
        "refused",
    ),
    "own_name_in_one_pair_of_quotes": view("SELECT title FROM `operational.movies`"),
    "own_text_without_capitals": view(
        "SELECT COLLATE(title, 'und:ci') AS t FROM operational.movies"
    ),
    "own_lax_path": view(
        "SELECT JSON_QUERY(PARSE_JSON('{}'), 'lax $.tags') AS t, "
        "JSON_QUERY(PARSE_JSON('{}'), 'lax recursive $.tags') AS every"
    ),
}  # fmt: skip

# A source of the models above.
EXPORTS = """
- name: '`exports`.`events_*`'
  columns: {name: STRING}
"""


def text(name: str, own: Own) -> str:
    """The model's file; its query stands in the fifth line, or in the sixth."""
    header = f",\n  {own.header}" if own.header else ""
    named = f"name interactions_internal.{name}, start '2018-01-01'"
    return f"MODEL (\n  {named},\n  kind {own.kind}{header}\n);\n{own.query}\n"
