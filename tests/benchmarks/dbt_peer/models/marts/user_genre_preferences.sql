select
    user_id,
    genre,
    reporting_month,
    rating_monthly_count,
    rating_monthly_median,
    rating_count,
    rating_median,
    {{ preference('rating_median') }} as user_preference,
    {{ preference('rating_monthly_median') }} as user_monthly_preference
from {{ ref('user_genre_ratings') }}
