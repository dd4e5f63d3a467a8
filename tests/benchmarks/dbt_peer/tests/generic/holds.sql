{# A condition on each row. #}
{% test holds(model, that) %}
select *
from {{ model }}
where not ({{ that }})
{% endtest %}
