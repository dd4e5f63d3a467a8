select reporting_month
from {{ ref('movies_engagement') }}
group by reporting_month
having count(*) >= 20 and count(genres) = 0
