AUDIT (
  name contract_table,
  dialect bigquery
);

/* Every rule about the whole table of a contract; those that an interval can break, on the interval. */
SELECT
  failing
FROM @broken_tables(@this_model, @product, @interval, @months, @rules)
