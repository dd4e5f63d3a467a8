with months as (
    select
        movie_id,
        reporting_month,
        count(*) as rating_count,
        median(rating) as rating_median,
        {%- for half in range(1, 11) %}
        count(*) filter (where rating = {{ half / 2 }}) as {{ ratings_of(half) }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ ref('stg_ratings') }}
    group by movie_id, reporting_month
),

tags as (
    select
        movie_id,
        string_agg(distinct tag, '|' order by tag) as tags
    from {{ ref('stg_tags') }}
    group by movie_id
)

select
    months.movie_id,
    months.reporting_month,
    movies.title,
    movies.release_year,
    movies.genres,
    tags.tags,
    months.rating_count,
    months.rating_median,
    {%- for half in range(1, 11) %}
    months.{{ ratings_of(half) }}{{ ',' if not loop.last }}
    {%- endfor %}
from months
inner join {{ ref('stg_movies') }} as movies using (movie_id)
left join tags using (movie_id)
