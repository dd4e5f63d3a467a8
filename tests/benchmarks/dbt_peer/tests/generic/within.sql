{# A number or a date between limits, and in steps. #}
{% test within(model, column_name, at_least=none, at_most=none, step=none) %}
select {{ column_name }}
from {{ model }}
where false
{%- if at_least is not none %} or {{ column_name }} < {{ at_least }}{% endif %}
{%- if at_most is not none %} or {{ column_name }} > {{ at_most }}{% endif %}
{%- if step is not none %} or {{ column_name }} % {{ step }} <> 0{% endif %}
{% endtest %}
