{# A group by which two tables do not sum up to the same. #}
{% test same_sums(model, by, measures, source, source_by=none, source_measures=none) %}
(
    select {{ by | join(', ') }}, {{ measures | join(', ') }}
    from {{ model }} group by all
    except
    select {{ (source_by or by) | join(', ') }}, {{ (source_measures or measures) | join(', ') }}
    from {{ source }} group by all
)
union all
(
    select {{ (source_by or by) | join(', ') }}, {{ (source_measures or measures) | join(', ') }}
    from {{ source }} group by all
    except
    select {{ by | join(', ') }}, {{ measures | join(', ') }}
    from {{ model }} group by all
)
{% endtest %}
