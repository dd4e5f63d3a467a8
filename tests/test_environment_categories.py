"""Which models a plan builds anew: what an environment shows is what its models say, always."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from sqlmesh import Context
from sqlmesh.core.plan import PlanBuilder
from sqlmesh.utils.errors import PlanError

from mesh.environments import hooks
from mesh.environments.names import short_name

CONFIG = """\
gateways:
  duckdb:
    connection: {type: duckdb, database: DATABASE}
default_gateway: duckdb
model_defaults: {dialect: duckdb, start: 2024-01-01}
plan: {auto_categorize_changes: {external: full, python: full, sql: full, seed: full}}
"""


@pytest.fixture(autouse=True)
def installed() -> None:
    hooks.install()


@dataclass
class Model:
    """A model with one row: a number of its own and those that it reads, added up."""

    reads: tuple[str, ...] = ()
    number: int = 1
    columns: int = 0
    description: str = "As it was."
    refused: bool = False
    kind: str = "FULL"

    def sql(self, name: str) -> str:
        audits = ", audits (not_refused)" if self.refused else ""
        summed = " + ".join([str(self.number), *(f"{one}.number" for one in self.reads)])
        more = "".join(f", {place} AS more_{place}" for place in range(self.columns))
        tables = ", ".join(f"shop.{one} AS {one}" for one in self.reads)
        return (
            f"MODEL (name shop.{name}, kind {self.kind}, "
            f"description '{self.description}'{audits});\n"
            f"SELECT {summed} AS number{more}{' FROM ' + tables if tables else ''}"
        )


@dataclass
class Shop:
    """A project of SQLMesh's own, and what its environments must show."""

    root: Path
    models: dict[str, Model] = field(default_factory=dict)
    shown: dict[str, dict[str, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for folder in ("models", "audits"):
            (self.root / folder).mkdir(parents=True)
        database = str(self.root / "any.duckdb")
        (self.root / "config.yaml").write_text(CONFIG.replace("DATABASE", database))
        (self.root / "audits" / "not_refused.sql").write_text(
            "AUDIT (name not_refused);\nSELECT * FROM @this_model"
        )

    def number(self, name: str) -> int:
        model = self.models[name]
        return model.number + sum(map(self.number, model.reads))

    def plan(self, environment: str) -> dict[str, str]:
        """Plan it. Returns the category of each model that is new."""
        for name, model in self.models.items():
            (self.root / "models" / f"{name}.sql").write_text(model.sql(name))
        with closing(Context(paths=[str(self.root)])) as context:
            plan = context.plan(
                environment, include_unmodified=True, auto_apply=True, no_prompts=True
            )
        self.shown[environment] = {name: self.number(name) for name in self.models}
        return {
            short_name(one.name).removeprefix("shop."): one.change_category.name
            for one in plan.new_snapshots
            if one.change_category
        }

    def check(self) -> None:
        """Each environment shows the numbers of the models that were planned for it."""
        with closing(Context(paths=[str(self.root)])) as context:
            for environment, numbers in self.shown.items():
                schema = "shop" if environment == "prod" else f"shop__{environment}"
                found = {
                    name: context.engine_adapter.fetchone(f"SELECT number FROM {schema}.{name}")[0]
                    for name in numbers
                }
                assert found == numbers, environment


def stocked(root: Path, kind: str = "FULL") -> Shop:
    """`sales` reads `prices` over `goods`, which is of that kind, and `clients`."""
    models = {
        "prices": Model(),
        "goods": Model(("prices",), kind=kind),
        "clients": Model(),
        "sales": Model(("goods", "clients")),
    }
    return Shop(root, models)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return stocked(tmp_path / "shop")


def test_a_change_that_another_environment_had_first_reaches_what_reads_it(shop: Shop) -> None:
    shop.plan("prod")
    shop.models["goods"].number = 10
    shop.plan("dev")
    shop.models["clients"].description = "Other words."
    new = shop.plan("prod")
    assert (new["clients"], new["sales"]) == ("METADATA", "INDIRECT_BREAKING")
    shop.check()


def test_a_change_of_a_plan_that_failed_reaches_what_reads_it(shop: Shop) -> None:
    shop.plan("prod")
    shop.models["goods"].number = 10
    shop.models["clients"] = Model(number=7, refused=True)
    with pytest.raises(PlanError):
        shop.plan("prod")
    shop.check()
    shop.models["clients"] = Model(description="Mended.")
    shop.plan("prod")
    shop.check()


def test_a_change_above_another_column_reaches_what_is_below(shop: Shop) -> None:
    shop.plan("prod")
    shop.models["prices"].number = 10
    shop.models["goods"].columns = 1
    assert shop.plan("prod")["sales"] == "INDIRECT_BREAKING"
    shop.check()


def test_what_reads_the_same_rows_keeps_its_table(shop: Shop) -> None:
    shop.plan("prod")
    shop.models["goods"].columns = 1
    shop.models["clients"].description = "Other words."
    assert shop.plan("prod")["sales"] == "INDIRECT_NON_BREAKING"
    shop.models["clients"].description = "Words again."
    assert shop.plan("prod")["sales"] == "METADATA"
    shop.check()


EDITS = st.tuples(
    st.sampled_from(("prices", "goods", "clients", "sales")),
    st.sampled_from(("number", "columns", "description", "refused", "back")),
)
STEPS = st.lists(
    st.tuples(st.lists(EDITS, min_size=1, max_size=3), st.sampled_from(("dev", "prod"))),
    min_size=2,
    max_size=4,
)


@given(steps=STEPS, kind=st.sampled_from(("FULL", "VIEW")))
@settings(max_examples=8, phases=(Phase.generate,), deadline=None, derandomize=True)
def test_after_any_edits_and_plans_environments_show_what_their_models_say(
    tmp_path_factory: pytest.TempPathFactory,
    steps: list[tuple[list[tuple[str, str]], str]],
    kind: str,
) -> None:
    shop = stocked(tmp_path_factory.mktemp("any") / "shop", kind)
    shop.plan("prod")
    for number, (edits, environment) in enumerate(steps):
        for name, what in edits:
            model = shop.models[name]
            if what == "description":
                model.description = f"Words of step {number}."
            elif what == "refused":
                model.refused = not model.refused
            elif what == "back":
                shop.models[name] = Model(model.reads, kind=model.kind)
            else:
                setattr(model, what, getattr(model, what) + 1)
        try:
            shop.plan(environment)
        except PlanError:
            assert any(model.refused for model in shop.models.values())
        shop.check()


def test_without_it_sqlmesh_would_keep_the_table(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else there is nothing to do here any more, and `categories` can go."""
    theirs = PlanBuilder._categorize_snapshot.__wrapped__
    monkeypatch.setattr(PlanBuilder, "_categorize_snapshot", theirs)
    shop.plan("prod")
    shop.models["prices"].number = 10
    shop.models["goods"].columns = 1
    assert shop.plan("prod")["sales"] == "INDIRECT_NON_BREAKING"
