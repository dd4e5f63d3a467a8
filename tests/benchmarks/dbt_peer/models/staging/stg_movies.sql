{{ config(materialized='table') }}

-- "Heat (1995)" and "Note (2006-2007)" end in their year, some in the same year twice
{%- set year = "\\s*[(](?:1[89]|20)[0-9]{2}(?: ?[-–—] ?[0-9]{0,4})?[)]$" %}

with trimmed as (
    select
        movieId as movie_id,
        trim(title) as title,
        nullif(genres, '(no genres listed)') as genres
    from {{ source('movielens', 'movies') }}
),

dated as (
    select
        *,
        regexp_replace(title, '{{ year }}', '') as without_year,
        try_cast(regexp_extract(title, '[(]((?:1[89]|20)[0-9]{2})(?: ?[-–—] ?[0-9]{0,4})?[)]$', 1) as bigint)
            as release_year
    from trimmed
)

select
    movie_id,
    coalesce(
        case
            when ends_with(without_year, '(' || release_year || ')')
                then nullif(regexp_replace(without_year, '{{ year }}', ''), '')
        end,
        nullif(without_year, ''),
        title
    ) as title,
    release_year,
    genres
from dated
