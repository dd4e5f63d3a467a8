{# The column that counts the ratings of so many half-stars. #}
{% macro ratings_of(half) -%}
    ratings_{{ half // 2 }}_{{ 5 * (half % 2) }}
{%- endmacro %}
