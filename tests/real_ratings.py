"""The real data as it was delivered, and as what the consumer's models read, without a build."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pandas as pd
import pytest
from rendered import Products, daily, monthly

FOLDER = os.environ.get("MOVIELENS_DIR", "")
REAL = pytest.mark.skipif(not FOLDER, reason="MOVIELENS_DIR is not set")


@dataclass(frozen=True)
class RealRatings:
    """genres: one row per movie and genre; by_genre: one per rating and genre of its movie."""

    movies: pd.DataFrame
    ratings: pd.DataFrame
    genres: pd.DataFrame
    by_genre: pd.DataFrame

    def load(self, made: Products) -> None:
        """Load what models read: products of the producer, and what a user likes."""
        at = pd.to_datetime(self.ratings.timestamp, unit="s")
        ratings = self.ratings.rename(columns={"userId": "user_id", "movieId": "movie_id"})
        ratings = ratings.assign(rated_at=at)
        days = daily(ratings)
        made.load("interactions.movies_engagement_daily", days)
        made.load("interactions.movies_engagement", monthly(days))
        made.load("interactions.user_movie_ratings", ratings)
        movies = self.movies.rename(columns={"movieId": "movie_id", "year": "release_year"})
        genres = movies.genres.where(movies.genres != "(no genres listed)", None)
        made.load("interactions.movie_catalogue", movies.assign(genres=genres))
        newest = pd.DataFrame({"rated_on": [at.max().normalize()]})
        made.load("engagement_internal.newest_rating", newest)
        users = self.by_genre.groupby(["userId", "genre"]).rating.agg(["size", "median"])
        likings = users.reset_index().rename(columns={"userId": "user_id"})
        likings["is_asked"] = likings["size"] >= 5
        likings["likes"] = likings.is_asked & (likings["median"] > 4.0)
        likings.insert(0, "period", "all_time")
        made.load("engagement_internal.user_genre_likings", likings)


@cache
def real_ratings() -> RealRatings:
    movies = pd.read_csv(Path(FOLDER) / "movies.csv")
    ratings = pd.read_csv(Path(FOLDER) / "ratings.csv")
    movies["year"] = movies.title.str.extract(r"\((\d{4})(?:[-–]\d*)?\)\s*$")[0].astype("Int64")
    genres = movies.assign(genre=movies.genres.str.split("|")).explode("genre")
    genres = genres[genres.genre != "(no genres listed)"].drop(columns="genres")
    return RealRatings(movies, ratings, genres, ratings.merge(genres, on="movieId"))
