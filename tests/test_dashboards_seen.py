"""What is seen in a chart of this project is told, if it surely is so."""

from __future__ import annotations

from mesh.dashboards.kinds.seen import named
from mesh.dashboards.preview.page import page_html
from mesh.dashboards.preview.present import PageView
from tests.dashboards_data import HOSTILE, RIGHT_TO_LEFT, card, filled, genre, movie
from tests.dashboards_data import presented as page
from tests.project_copy import PROJECT


def html(view: PageView) -> str:
    return page_html(view, [view], PROJECT)


def test_the_largest_part_of_a_pie_is_told_if_it_surely_is() -> None:
    sides = [
        {"membership": "members", "group_users": 245, "group_share": 0.4},
        {"membership": "others", "group_users": 365, "group_share": 0.6},
    ]
    told = "The largest part is All other users with 365, 59.8% of the whole."
    assert card("user_360", "raters", sides).seen == told
    alike = [genre(1, "Drama", 610, 1.0), genre(2, "Comedy", 609, 0.99)]
    assert card("user_360", "genres_rated", alike).seen == ""
    # All the others together are no part that leads.
    rest = [genre(1, "Drama", 20, 1.0), genre(10, "Others", 900, 0.99, True)]
    assert card("user_360", "genres_rated", rest).seen == ""


def test_the_highest_and_the_lowest_bar_are_told_if_they_surely_differ() -> None:
    users = [{"genre": name, "genre_users": count} for name, count in (("Drama", 610), ("War", 9))]
    seen = card("user_360", "genres_reach", users).seen
    assert seen == "The highest is Drama with 610 users; the lowest is War with 9 users."
    asked = [
        {"genre": "War", "liking_share": 0.3, "asked_users": 277},
        {"genre": "IMAX", "liking_share": 0.1, "asked_users": 201},
    ]
    seen = card("user_360", "genres_like_share", asked).seen
    assert seen == "The highest is War with 30.0% of 277; the lowest is IMAX with 10.0% of 201."
    # As of the decades of ml-latest-small: of 32 who were asked one more or less is 3 points.
    third = {"genre": "Drama", "liking_share": 0.299, "asked_users": 32}
    assert card("user_360", "genres_like_share", [*asked, third]).seen == (
        "The highest is War with 30.0% of 277, though Drama, a rough 29.9% of 32, cannot be told "
        "apart from it; the lowest is IMAX with 10.0% of 201."
    )
    users.insert(1, {"genre": "Comedy", "genre_users": 609})
    assert card("user_360", "genres_reach", users).seen == (
        "The highest is Drama with 610 users, which may be chance against Comedy; the lowest is "
        "War with 9 users."
    )
    # Of 610 users 609 are surely more than 554, and 610 are not surely more than 609.
    reach = [
        {"genre": name, "genre_users": count, "genre_share": count / 610}
        for name, count in (("Drama", 609), ("War", 554), ("IMAX", 40))
    ]
    assert card("user_360", "genres_reach", reach).seen == (
        "The highest is Drama with 609 users; the lowest is IMAX with 40 users."
    )
    reach[1] |= {"genre_users": 608, "genre_share": 608 / 610}
    assert "which may be chance against War" in card("user_360", "genres_reach", reach).seen
    few = [row | {"asked_users": 9} for row in asked]
    assert card("user_360", "genres_like_share", few).seen == ""
    equal = [{"genre": name, "genre_users": 300} for name in ("Drama", "War")]
    assert card("user_360", "genres_reach", equal).seen == ""


def test_two_shares_that_lie_far_apart_are_told() -> None:
    rows = [
        {"segment": "raters_only", "segment_share": 0.402, "segment_action_share": 0.836},
        {"segment": "sleepers", "segment_share": 0.592, "segment_action_share": 0.16},
        {"segment": "all_taggers", "segment_share": 0.03, "segment_action_share": None},
    ]
    assert card("user_360", "group_weight", rows).seen == (
        "Raters only: share of all users 40.2%, share of all actions 83.6%."
    )


def test_how_many_of_the_table_surely_changed_is_told_with_one_of_them() -> None:
    rows = [
        # Twice as many, but of so few that it may be chance.
        movie(1, "Small", movie_ratings=6, movie_ratings_before=3, movie_ratings_change=1.0),
        movie(2, "Heat", movie_ratings=90, movie_ratings_before=50, movie_ratings_change=0.8),
        movie(3, "Jaws", movie_ratings=200, movie_ratings_before=140, movie_ratings_change=0.43),
    ]
    told = (
        "Last half year: 2 of 3 movies surely changed, such as Heat, 90 ratings after 50 (+80.0%)."
    )
    assert card("movie_trends", "most_rated_movies", rows).seen == told
    assert card("movie_trends", "most_rated_movies", rows[:1]).seen == ""


def test_what_is_seen_is_text_whatever_a_name_tries() -> None:
    rows = [{"genre": name, "genre_users": users} for name, users in ((HOSTILE, 610), ("War", 9))]
    text = html(page("user_360", filled("user_360", genres_reach=rows)))
    assert '<p class="seen">The highest is \u2068&lt;script&gt;' in text
    assert "<script>window.hacked" not in text
    # Its own direction does not turn round the sentence about it.
    assert named(RIGHT_TO_LEFT) == f"\u2068{RIGHT_TO_LEFT}\u2069"
    assert named("W" * 200) == f"\u2068{'W' * 59}…\u2069"
