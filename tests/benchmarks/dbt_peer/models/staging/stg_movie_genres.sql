{{ config(materialized='table') }}

select distinct
    movie_id,
    unnest(string_split(genres, '|')) as genre
from {{ ref('stg_movies') }}
