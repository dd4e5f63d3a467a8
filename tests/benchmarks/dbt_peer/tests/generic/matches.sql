{% test matches(model, column_name, pattern) %}
select {{ column_name }}
from {{ model }}
where not regexp_matches({{ column_name }}, '{{ pattern }}')
{% endtest %}
