AUDIT (
  name contract_rows,
  dialect bigquery
);

/* Every rule about single rows of a contract, in one scan of the interval. */
SELECT
  failing
FROM @broken_rows(@this_model, @source, @product, @interval, @months, @grain, @rules)
