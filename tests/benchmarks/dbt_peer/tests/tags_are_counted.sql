with counted as (
    select movie_id, count(distinct tag) as tag_count
    from {{ ref('stg_tags') }}
    group by movie_id
)

select shown.movie_id
from {{ ref('movies_engagement') }} as shown
left join counted using (movie_id)
where len(string_split(shown.tags, '|')) is distinct from counted.tag_count
