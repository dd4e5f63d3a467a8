{% macro preference(median) -%}
    case
        when {{ median }} > {{ var('likes_above_median') }} then 'likes'
        when {{ median }} < {{ var('dislikes_below_median') }} then 'dislikes'
        else 'indifferent'
    end
{%- endmacro %}
