"""What BigQuery leaves out of GoogleSQL.

Google's analyzer knows the whole language. BigQuery is one of its engines: the features and
functions below exist in the language, and BigQuery refuses them.
"""

from __future__ import annotations

# Language features, by the names that the analyzer gives them, without the prefix FEATURE_.
FEATURES_NOT_IN_BIGQUERY = frozenset(
    {
        "ADDITIONAL_DATE_TIME_FUNCTIONS",
        "AGGREGATE_FILTERING",
        "ALIASES_FOR_STRING_AND_DATE_FUNCTIONS",
        "ANONYMIZATION",
        "ARRAY_AGGREGATION_FUNCTIONS",
        "ARRAY_EQUALITY",
        "ARRAY_FIND_FUNCTIONS",
        "ARRAY_GREATEST_LEAST",
        "ARRAY_ORDERING",
        "ARRAY_ZIP",
        "DISALLOW_GROUP_BY_FLOAT",
        "DOT_PRODUCT",
        "ENABLE_MEASURES",
        "FILTER_FIELDS",
        "FIRST_AND_LAST_N",
        "INLINE_LAMBDA_ARGUMENT",
        "KLL_WEIGHTS",
        "L1_NORM",
        "L2_NORM",
        "LATERAL_COLUMN_REFERENCES",
        "LATERAL_JOIN",
        "LIMIT_ALL",
        "LIMIT_OFFSET_EXPRESSIONS",
        "MANHATTAN_DISTANCE",
        "MAP_TYPE",
        "MULTILEVEL_AGGREGATION",
        "MULTIWAY_UNNEST",
        "NULLIFZERO_ZEROIFNULL",
        "PI_FUNCTIONS",
        "RADIANS_DEGREES_FUNCTIONS",
        "ROW_TYPE",
        "SAFE_FUNCTION_CALL_WITH_LAMBDA_ARGS",
        "SINGLETON_UNNEST_INFERS_ALIAS",
        "STRUCT_POSITIONAL_ACCESSOR",
        "TIMESTAMP_NANOS",
        "TIMESTAMP_PICOS",
        "TIMESTAMP_PRECISION",
        "UUID_TYPE",
        "WITH_GROUP_ROWS",
    }
)

# Features that the analyzer counts as one engine's own, and that engine is BigQuery.
FEATURES_OF_BIGQUERY = frozenset(
    {"ALTER_VIEWS_ALTER_COLUMN_SET_OPTIONS", "CREATE_VIEWS_WITH_COLUMN_OPTIONS"}
)

# Functions of the language that no feature switches, and that BigQuery does not have.
FUNCTIONS_NOT_IN_BIGQUERY = frozenset(
    {
        "ADD_MONTHS",
        "ARRAY_AVG",
        "ARRAY_FILTER",
        "ARRAY_FIND",
        "ARRAY_INCLUDES",
        "ARRAY_INCLUDES_ALL",
        "ARRAY_INCLUDES_ANY",
        "ARRAY_IS_DISTINCT",
        "ARRAY_MAX",
        "ARRAY_MIN",
        "ARRAY_SUM",
        "ARRAY_TRANSFORM",
        "ARRAY_ZIP",
        "BIT_CAST_TO_INT32",
        "BIT_CAST_TO_INT64",
        "BIT_CAST_TO_UINT32",
        "BIT_CAST_TO_UINT64",
        "COUNTIF_DISTINCT",
        "ELEMENTWISE_AVG",
        "ELEMENTWISE_SUM",
        "GENERATE_TIMESTAMP_LIST",
        "IFERROR",
        "ISERROR",
        "NULLIFERROR",
        "NULLIFZERO",
        "PI",
        "RADIANS",
        "DEGREES",
        "SESSION_TIME",
        "ZEROIFNULL",
    }
)

# Functions that BigQuery has with OVER alone; other engines have them as aggregates as well.
WINDOW_ONLY_FUNCTIONS = frozenset({"PERCENTILE_CONT", "PERCENTILE_DISC"})
