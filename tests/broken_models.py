"""Models with one change each that SQLGlot accepts and BigQuery refuses."""

from __future__ import annotations

from dataclasses import dataclass

INTERNAL = "interactions/internal"


@dataclass(frozen=True)
class Broken:
    """A model with one change, and what must be said of it.

    base: the model's file below models/. marker: a word on the line that must be named.
    """

    base: str
    old: str
    new: str
    said: str
    marker: str = ""
    rule: str = "refused"


PERIODS = f"{INTERNAL}/user_period_ratings_monthly.sql"
GENRES = f"{INTERNAL}/movie_genres.sql"
UNNESTED = "CROSS JOIN UNNEST(SPLIT(movies.genres, '|')) AS genre\n"
MOVIES = f"{INTERNAL}/movies.sql"
TAGS = f"{INTERNAL}/movie_tags.sql"
ACTIONS = f"{INTERNAL}/user_actions_monthly.sql"
EVENTS = f"{INTERNAL}/rating_events.sql"
MONTHS = f"{INTERNAL}/movie_ratings_monthly.sql"
DAILY = f"{INTERNAL}/movie_ratings_daily.sql"
GROUPS = "engagement/internal/user_groups.sql"
PREFERENCES = "engagement/user_genre_preferences.sql"

BROKEN = {
    "unknown_function": Broken(
        MONTHS, "SUM(rating_count)", "MEDIAN(rating_count)", "Function not found: MEDIAN", "MEDIAN"
    ),
    "function_of_another_engine": Broken(
        MOVIES, "MOD(DIV(release_year, 10) * 10, 100)", "list_sum([release_year])",
        "Function not found: list_sum", "list_sum",
    ),
    "wrong_argument_type": Broken(
        MOVIES, "SAFE_CAST(REGEXP_EXTRACT(title,", "SAFE_CAST(REGEXP_EXTRACT(movie_id,",
        "No matching signature for function REGEXP_EXTRACT", "REGEXP_EXTRACT(movie_id",
    ),
    "concat_of_an_array": Broken(
        GENRES, "genre::STRING", "CONCAT(SPLIT(genre, '|'), '')::STRING",
        "No matching signature for function CONCAT",
    ),
    "text_compared_with_number": Broken(
        GENRES, UNNESTED, UNNESTED + "WHERE genre <> movie_id",
        "No matching signature for operator !=", "WHERE",
    ),
    "no_implicit_cast_of_text": Broken(
        GROUPS, "SUM(IF(action_type = 'tag', action_monthly_count, 0))",
        "SUM(IF(action_type = 'tag', action_monthly_count, 'none'))",
        "No matching signature for function IF", "none",
    ),
    "sum_of_text": Broken(
        GROUPS, "SUM(IF(action_type = 'tag', action_monthly_count, 0))", "SUM(action_type)",
        "aggregate function SUM",
    ),
    "branches_of_two_types": Broken(
        MOVIES, "ELSE CONCAT(CAST(DIV(release_year, 10) * 10 AS STRING), 's')", "ELSE release_year",
        "No matching signature for operator CASE",
    ),
    "not_grouped": Broken(
        MONTHS, "GROUP BY\n  movie_id,\n  reporting_month", "GROUP BY\n  movie_id",
        "which is neither grouped nor aggregated", "DATE_TRUNC(rated_on",
    ),
    "aggregate_in_where": Broken(
        DAILY, "WHERE\n  rated_on", "WHERE\n  COUNT(*) > 1 AND rated_on",
        "Aggregate function COUNT(*) not allowed in WHERE", "COUNT(*) > 1",
    ),
    "window_in_where": Broken(
        DAILY, "WHERE\n  rated_on", "WHERE\n  ROW_NUMBER() OVER () = 1 AND rated_on",
        "Analytic function not allowed in WHERE", "ROW_NUMBER",
    ),
    "aggregate_in_aggregate": Broken(
        MONTHS, "SUM(rating_count)", "SUM(MAX(rating_count))",
        "Aggregations of aggregations are not allowed",
    ),
    "ambiguous_column": Broken(
        PERIODS, "movies.release_decade::STRING AS release_decade",
        "movies.release_decade::STRING AS release_decade, movie_id",
        "Column name movie_id is ambiguous", "movie_id",
    ),
    "unknown_column": Broken(
        PERIODS, "SUM(ratings.histogram_low)", "SUM(ratings.histogram_lo)",
        "Name histogram_lo not found inside ratings", "histogram_lo)",
    ),
    "unknown_table": Broken(
        MONTHS, "FROM interactions_internal.movie_ratings_daily",
        "FROM interactions_internal.movie_ratings_weekly",
        "Table not found: interactions_internal.movie_ratings_weekly", "_weekly",
    ),
    "date_compared_with_timestamp": Broken(
        DAILY, "WHERE\n  rated_on", "WHERE\n  rated_on = rated_at AND rated_on",
        "No matching signature for operator =", "rated_on = rated_at",
    ),
    "date_minus_timestamp": Broken(
        DAILY, "COUNT(*)::INT64", "MAX(DATE_DIFF(rated_at, DATE(rated_at), DAY))::INT64",
        "No matching signature for function DATE_DIFF",
    ),
    "number_added_to_a_timestamp": Broken(
        DAILY, "rated_on::DATE", "DATE(rated_at + 1)::DATE",
        "No matching signature for operator +",
    ),
    "date_part_of_a_text": Broken(
        GROUPS, "SUM(IF(action_type = 'tag', action_monthly_count, 0))",
        "SUM(EXTRACT(YEAR FROM action_type))", "No matching signature for function EXTRACT",
    ),
    "unnest_of_text": Broken(
        GENRES, "UNNEST(SPLIT(movies.genres, '|'))", "UNNEST(movies.genres)",
        "Values referenced in UNNEST must be arrays", "UNNEST",
    ),
    "qualify_without_window": Broken(
        MONTHS, "GROUP BY\n  movie_id,\n  reporting_month",
        "GROUP BY\n  movie_id,\n  reporting_month\nQUALIFY\n  SUM(rating_count) > 1",
        "QUALIFY clause", "QUALIFY",
    ),
    "qualify_on_a_number": Broken(
        MONTHS, "GROUP BY\n  movie_id,\n  reporting_month",
        "GROUP BY\n  movie_id,\n  reporting_month\nQUALIFY\n  ROW_NUMBER() OVER ()",
        "QUALIFY clause should return type BOOL", "QUALIFY",
    ),
    "where_on_a_number": Broken(
        GENRES, UNNESTED, UNNESTED + "WHERE movie_id", "WHERE clause should return type BOOL"
    ),
    "alias_used_beside_it": Broken(
        GROUPS, "tag_count::INT64 AS tag_count,",
        "tag_count::INT64 AS tag_count, (tag_count + likes) AS loves, 1 AS likes,",
        "Unrecognized name: likes",
    ),
    "union_of_two_types": Broken(
        ACTIONS, "'tag' AS action_type", "7 AS action_type",
        "Column 2 in UNION ALL has incompatible types", "",
    ),
    "union_of_two_widths": Broken(
        ACTIONS, "'tag' AS action_type,", "",
        "Queries in UNION ALL have mismatched column count",
    ),
    "percentile_as_aggregate": Broken(
        MONTHS, "SUM(rating_count)", "PERCENTILE_CONT(rating_count, 0.5)",
        "PERCENTILE_CONT exists in BigQuery as a window function alone", "PERCENTILE_CONT",
        rule="function",
    ),
    "function_that_bigquery_leaves_out": Broken(
        MONTHS, "SUM(rating_count)", "SUM(IFERROR(rating_count, 0))",
        "BigQuery has no function IFERROR", "IFERROR", rule="function",
    ),
    "array_function_that_bigquery_leaves_out": Broken(
        GENRES, UNNESTED, UNNESTED + "WHERE ARRAY_SUM([1, 2]) > 0", "ARRAY_SUM", "ARRAY_SUM"
    ),
    "days_of_the_week": Broken(
        DAILY, "COUNT(*)::INT64", "MAX(EXTRACT(DAYOFWEEK FROM rated_on))::INT64",
        "counts Sunday as 1, DuckDB as 0", rule="engines",
    ),
    "weeks": Broken(
        DAILY, "COUNT(*)::INT64", "COUNT(DISTINCT DATE_TRUNC(rated_on, WEEK))::INT64",
        "begins weeks on Sunday, DuckDB on Monday", rule="engines",
    ),
    "hours_between_moments": Broken(
        DAILY, "COUNT(*)::INT64", "TIMESTAMP_DIFF(MAX(rated_at), MIN(rated_at), HOUR)::INT64",
        "counts whole hours, DuckDB the borders", rule="engines",
    ),
    "distinct_with_another_order": Broken(
        TAGS, "ORDER BY\n    tag", "ORDER BY\n    movie_id DESC",
        "can only ORDER BY expressions that are arguments to the function", "movie_id DESC",
    ),
    "partition_by_a_float": Broken(
        DAILY, "COUNT(*)::INT64",
        "MAX(SUM(1)) OVER (PARTITION BY AVG(rating))::INT64",
        "Partitioning by expressions of type FLOAT64 is not allowed",
    ),
    "wrong_regular_expression_type": Broken(
        TAGS, "WHERE\n", "WHERE\n  REGEXP_CONTAINS(user_id, 'a') AND ",
        "No matching signature for function REGEXP_CONTAINS", "REGEXP_CONTAINS",
    ),
    "bits_of_a_float": Broken(
        DAILY, "COUNT(*)::INT64", "SUM(rating >> 1)::INT64",
        "bitwise operator >> must be an integer",
    ),
    "safe_divide_of_text": Broken(
        GROUPS, "tag_count::INT64 AS tag_count",
        "SAFE_DIVIDE('a', tag_count)::INT64 AS tag_count", "SAFE_DIVIDE",
    ),
    "cast_from_date_to_number": Broken(
        DAILY, "COUNT(*)::INT64", "MAX(DATE(rated_at)::INT64)::INT64",
        "Invalid cast from DATE to INT64",
    ),
    "array_of_arrays": Broken(
        MONTHS, "movie_id::INT64 AS movie_id", "movie_id::INT64 AS movie_id, [[1]] AS nested",
        "Cannot construct array with element type ARRAY<INT64>", "[[1]]",
    ),
    "outer_join_without_equality": Broken(
        PREFERENCES, "CROSS JOIN engagement_internal.thresholds AS thresholds",
        "LEFT JOIN engagement_internal.thresholds AS thresholds\n"
        "  ON ratings.rating_count > thresholds.smallest_group",
        "BigQuery joins thresholds by LEFT JOIN only where ON has an equality", "LEFT JOIN",
        rule="planner",
    ),
    "subquery_that_is_no_join": Broken(
        GENRES, UNNESTED,
        UNNESTED + "WHERE EXISTS(SELECT 1 FROM interactions_internal.movie_tags AS t "
        "WHERE t.movie_id > movies.movie_id)",
        "BigQuery cannot turn the subquery over t into a join: compare a column of it", "EXISTS",
        rule="planner",
    ),
    "subquery_with_a_limit": Broken(
        TAGS, "WHERE\n", "WHERE\n  tag = (SELECT m.title FROM interactions_internal.movies AS m "
        "WHERE m.movie_id = tag_events.movie_id LIMIT 1) AND ",
        "BigQuery cannot turn the subquery over m into a join", "LIMIT 1", rule="planner",
    ),
    "sample_by_rows": Broken(
        GENRES, " AS movies\n", " AS movies TABLESAMPLE BERNOULLI (10 PERCENT)\n",
        "BigQuery samples a table by SYSTEM alone, not by BERNOULLI", "BERNOULLI", rule="planner",
    ),
    "regular_expression_that_is_none": Broken(
        GENRES, UNNESTED, UNNESTED + "WHERE REGEXP_CONTAINS(genre, '(unclosed')",
        "cannot read the regular expression '(unclosed': missing ): (unclosed.", "unclosed",
        rule="planner",
    ),
    "json_path_that_is_none": Broken(
        GENRES, UNNESTED, UNNESTED + "WHERE JSON_VALUE(genre, '$[') <> ''",
        "cannot read the JSON path '$[': write $.name or $[0].", "JSON_VALUE", rule="planner",
    ),
    "day_that_is_none": Broken(
        GENRES, UNNESTED, UNNESTED + "WHERE DATE '2024-13-01' < CURRENT_DATE()",
        "BigQuery refuses the text '2024-13-01' as a DATE: Invalid DATE literal", "2024-13-01",
        rule="planner",
    ),
    "no_partition_filter": Broken(
        TAGS, "  WHERE\n    tagged_at >= '1995-01-01 00:00:00+00:00'::TIMESTAMP\n", "",
        "tag_events may be read only with a filter on its partition column: compare tagged_at",
        "FROM", rule="partition_filter",
    ),
    "a_partition_filter_that_prunes_nothing": Broken(
        TAGS, "tagged_at >= '1995-01-01 00:00:00+00:00'::TIMESTAMP",
        "EXTRACT(YEAR FROM tagged_at) > 1995",
        "filter on its partition column", rule="partition_filter",
    ),
    "column_without_a_name": Broken(
        "engagement/internal/thresholds.sql", "7::INT64 AS tagger_above_tags", "7::INT64",
        "column 5 of the query has no name", rule="output",
    ),
    "column_of_two_words": Broken(
        "engagement/internal/thresholds.sql", "AS tagger_above_tags", 'AS "tagger above"',
        "column 5 of the query is called `tagger above`: name it by letters", rule="output",
    ),
    "partitions_by_day_for_ever": Broken(
        DAILY, "DATE_TRUNC(rated_on, MONTH)", "rated_on",
        "partition by month", rule="limit",
    ),
    "too_many_clustering_columns": Broken(
        GROUPS, "clustered_by user_id",
        "clustered_by (user_id, rating_count, tag_count, is_rater, is_tagger)",
        "clustered_by names 5 columns, and BigQuery allows 4", rule="limit",
    ),
    "a_description_that_is_too_long": Broken(
        GROUPS, "Which groups of the audience a user belongs to", "long " * 300,
        "characters, and BigQuery keeps 1,024", rule="limit",
    ),
}  # fmt: skip
