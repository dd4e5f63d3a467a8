"""Versions of models: what a delivery makes of a model."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from sqlmesh.core.dialect import parse
from sqlmesh.core.model import load_sql_based_model

from mesh.deliveries import GENERATED
from mesh.environments.deliveries import Delivery, DeliveryLog
from mesh.environments.sources import delivered
from mesh.environments.versions import delivery_stamp, stamped
from tests.project_copy import PROJECT

LOG = DeliveryLog(
    delivered(PROJECT),
    (
        Delivery(
            number=1,
            finished_at=datetime(2020, 1, 1, tzinfo=UTC),
            mode="snapshot",
            source="",
            months={"ratings": frozenset({date(2016, 11, 1)})},
        ),
    ),
)


@pytest.mark.parametrize(
    ("start", "end"),
    [("1995-01-01", "2016-11-30"), ("2016-11-15", "2016-11-30"), ("2024-01-01", None)],
)
def test_a_model_ends_with_the_newest_delivered_month_unless_it_begins_later(start, end):
    model = load_sql_based_model(
        parse(
            "MODEL (name a.events, kind INCREMENTAL_BY_TIME_RANGE (time_column timestamp), "
            f"start '{start}'); SELECT timestamp FROM operational.ratings",
            default_dialect="bigquery",
        ),
        dialect="bigquery",
    )
    (made,) = stamped({model.fqn: model}, LOG).values()
    assert made.end == end
    assert delivery_stamp(made) == LOG.deliveries[0].stamp


@pytest.mark.parametrize(
    ("deliveries", "generated"),
    [
        ("snapshot real", False),
        ("snapshot made", True),
        ("snapshot made, append real", True),
        ("snapshot real, append made", True),
        ("snapshot made, snapshot real", False),
        ("snapshot real, append made, undo", False),
        ("snapshot made, snapshot real, undo", True),
        ("snapshot real, append made, append real, undo, undo", False),
        ("snapshot real, append made, erase, undo", False),
    ],
)
def test_data_is_generated_when_any_of_what_stands_is(deliveries: str, generated: bool) -> None:
    assert _log(deliveries).is_generated is generated


@pytest.mark.parametrize(
    ("deliveries", "until", "standing"),
    [
        ("snapshot real, append real", 2, [1, 2]),
        ("snapshot real, append real, undo", 3, [1]),
        ("snapshot real, append real, erase", 3, [1, 2]),
        ("snapshot real, append real, erase, undo", 4, [1]),
        ("snapshot real, append real, undo", 2, [1, 2]),
    ],
)
def test_what_takes_rows_out_is_no_delivery(
    deliveries: str, until: int, standing: list[int]
) -> None:
    log = _log(deliveries)
    found = log.standing(log.deliveries[until - 1])
    assert [delivery.number for delivery in found] == standing


def _log(deliveries: str) -> DeliveryLog:
    return DeliveryLog(
        LOG.delivered,
        tuple(
            replace(
                LOG.deliveries[0],
                number=number,
                mode=text.split()[0],
                source=f"in{GENERATED}" if text.endswith("made") else "in",
            )
            for number, text in enumerate(deliveries.split(", "), 1)
        ),
    )
