AUDIT (
  name contract,
  dialect bigquery
);

/* Every rule of a contract: those about rows in one scan, those about the table on the same rows. */
WITH broken AS (
  @broken_contract(@this_model, @source, @product, @interval, @months, @grain, @rows, @tables)
)
SELECT
  findings
FROM broken
