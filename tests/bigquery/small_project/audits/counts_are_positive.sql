AUDIT (name counts_are_positive);
SELECT * FROM @this_model WHERE rating_count <= 0
