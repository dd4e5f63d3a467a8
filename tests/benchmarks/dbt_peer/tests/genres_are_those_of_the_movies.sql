with genres as (
    select unnest(string_split(genres, '|')) as genre, reporting_month, rating_count
    from {{ ref('movies_engagement') }}
),

movies as (
    select genre, reporting_month, sum(rating_count) as rating_count
    from genres
    group by genre, reporting_month
),

users as (
    select genre, reporting_month, sum(rating_monthly_count) as rating_count
    from {{ ref('user_genre_ratings') }}
    group by genre, reporting_month
)

select genre, reporting_month
from users
full join movies using (genre, reporting_month)
where users.rating_count is distinct from movies.rating_count
