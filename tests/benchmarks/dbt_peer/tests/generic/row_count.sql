{% test row_count(model, at_most) %}
select count(*)
from {{ model }}
having count(*) not between 1 and {{ at_most }}
{% endtest %}
