-- every seventh movie
with shown as (
    select movie_id, max(tags) as tags
    from {{ ref('movies_engagement') }}
    where tags is not null and movie_id % 7 = 2
    group by movie_id
),

ends as (
    select movie_id, min(tag) as first, max(tag) as last
    from {{ ref('stg_tags') }}
    group by movie_id
)

select shown.movie_id
from shown
inner join ends using (movie_id)
where not starts_with(shown.tags || '|', ends.first || '|')
    or not ends_with('|' || shown.tags, '|' || ends.last)
