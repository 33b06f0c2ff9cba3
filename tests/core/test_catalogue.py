from typing import get_args

import pytest
from pydantic import ValidationError

from pls_ml.core.catalogue import Catalogue, Signal, event_filters, references
from pls_ml.core.measures import OF_ACCOUNTS, SUBTRACTABLE, WINDOWED, Condition, Measure, SecondsToFirst


def signal(name: str, measure: dict, **more) -> dict:
    return {"id": name, "family": "test", "label": name, "measure": measure} | more


def count(name: str, *windows: str) -> dict:
    return signal(name, {"kind": "count"}, windows=windows)


def ratio(name: str, above: str, below: str, **more) -> dict:
    return signal(name, {"kind": "ratio", "numerator": above, "denominator": below} | more)


def rule(name: str, *conditions: dict) -> dict:
    return signal(name, {"kind": "rule", "all": conditions})


def catalogue(*signals: dict) -> Catalogue:
    return Catalogue.model_validate({"signals": signals})


def names(of: Catalogue) -> list[str]:
    return [column.name for column in of]


def test_a_signal_has_one_column_per_window_and_one_without_windows():
    found = catalogue(count("views", "7d", "lifetime"), signal("age", {"kind": "age_days"}))

    assert names(found) == ["views_7d", "views_lifetime", "age"]
    assert [column.window and column.window.name for column in found] == ["7d", "lifetime", None]
    assert found.by_column["views_7d"].signal.id == "views"


@pytest.mark.parametrize(
    "signals",
    [
        (count("views", "7d"), count("views", "7d")),
        (count("views", "7d", "7d"),),
        (count("views", "7d"), signal("views_7d", {"kind": "age_days"})),
    ],
)
def test_a_column_declared_twice_is_refused_by_name(signals):
    with pytest.raises(ValidationError, match="signal columns declared twice: views_7d"):
        catalogue(*signals)


def test_the_same_signal_may_not_hide_behind_other_windows():
    assert names(catalogue(count("views", "7d"), count("views", "30d"))) == ["views_7d", "views_30d"]


@pytest.mark.parametrize(
    ("user", "wanted"),
    [
        (ratio("share", "vews_7d", "views_7d"), "vews_7d"),
        (ratio("share", "views_7d", "view_7d"), "view_7d"),
        (ratio("share", "views_7d", "views_7d", requires=[{"signal": "views", "gte": 1}]), "views"),
        (rule("busy", {"signal": "views_7", "gte": 1}), "views_7"),
        (signal("busy", {"kind": "rule", "any": [{"signal": "views_7", "gte": 1}]}), "views_7"),
        (signal("left", {"kind": "difference", "of": "views_7d", "minus": "views_7"}), "views_7"),
    ],
)
def test_a_reference_to_a_column_that_is_not_declared_is_refused_with_the_nearest_one(user, wanted):
    with pytest.raises(ValidationError, match=rf"refers to '{wanted}', which is not declared \(did you mean 'views_7d'\?\)"):
        catalogue(count("views", "7d"), user)


@pytest.mark.parametrize(
    ("signals", "circle"),
    [
        ((rule("a", {"signal": "a", "gte": 1}),), "a → a"),
        ((rule("a", {"signal": "b", "gte": 1}), rule("b", {"signal": "a", "gte": 1})), "a → b → a"),
        ((ratio("a", "b", "b"), ratio("b", "c", "c"), rule("c", {"signal": "a", "gt": 0})), "a → b → c → a"),
    ],
)
def test_signals_that_refer_to_each_other_in_a_circle_are_refused_with_it(signals, circle):
    with pytest.raises(ValidationError, match=f"signals refer to each other in a circle: {circle}"):
        catalogue(*signals)


def test_columns_are_ordered_after_those_that_they_refer_to():
    found = catalogue(rule("hot", {"signal": "share", "gt": 0.5}), ratio("share", "views_7d", "views_30d"), count("views", "7d", "30d"))

    assert [column.name for column in found.ordered] == ["views_7d", "views_30d", "share", "hot"]
    assert names(found) == ["hot", "share", "views_7d", "views_30d"]


KINDS = {kind.model_fields["kind"].annotation.__args__[0]: kind for kind in get_args(get_args(Measure)[0])}
CONDITION = {"signal": "y", "gte": 1}
MORE = {
    "distinct": {"of": "feature"},
    "sum": {"of": "value"},
    "active_values": {"column": "department"},
    "latest": {"among": ["a", "b"]},
    "abandoned": {"started": {}, "completed": {}},
    "records": {"table": "workspaces"},
    "attribute": {"table": "users", "column": "title"},
    "ratio": {"numerator": "y", "denominator": "y"},
    "difference": {"of": "y", "minus": "y"},
    "rule": {"all": [CONDITION]},
}


def measure(kind: str) -> dict:
    return {"kind": kind} | MORE.get(kind, {})


def scopes(kind: str) -> list[str]:
    """Whose events a measure may be taken over."""
    scopes = {
        "user": KINDS[kind] not in OF_ACCOUNTS,
        "account": KINDS[kind] is not SecondsToFirst,
        "colleagues": KINDS[kind] in SUBTRACTABLE,
    }
    return [scope for scope, fits in scopes.items() if fits]


def test_a_measure_stands_for_every_kind_there_is():
    assert {"count", "streak", "sessions", "latest", "limit_use", "difference", "rule"} < KINDS.keys()


@pytest.mark.parametrize("kind", [kind for kind in KINDS if KINDS[kind] in WINDOWED])
def test_a_measure_over_a_window_needs_one(kind):
    scope = {"scope": scopes(kind)[0]}
    with pytest.raises(ValidationError, match=rf"signal 'x' needs `windows`, for example \[30d\] or \[lifetime\] \(measure '{kind}'\)"):
        catalogue(signal("x", measure(kind), **scope))
    assert names(catalogue(signal("x", measure(kind), windows=["30d"], **scope))) == ["x_30d"]


@pytest.mark.parametrize("kind", [kind for kind in KINDS if KINDS[kind] not in WINDOWED])
def test_a_measure_without_a_window_takes_none(kind):
    with pytest.raises(ValidationError, match=rf"signal 'x' takes no `windows` \(measure '{kind}'\)"):
        catalogue(signal("y", {"kind": "age_days"}), signal("x", measure(kind), windows=["30d"]))
    assert names(catalogue(signal("y", {"kind": "age_days"}), signal("x", measure(kind)))) == ["y", "x"]


@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize(
    ("scope", "reason"),
    [
        ("user", "only an account has '{kind}'; use `scope: account`"),
        ("account", "an account has no signup; use `scope: user` with '{kind}'"),
        ("colleagues", "'{kind}' cannot be taken over colleagues; use `scope: account`"),
    ],
)
def test_a_measure_is_taken_over_those_who_have_it_and_refused_with_the_reason_otherwise(kind, scope, reason):
    given = signal("x", measure(kind), scope=scope, windows=["30d"] if KINDS[kind] in WINDOWED else [])
    if scope in scopes(kind):
        assert Signal.model_validate(given).scope == scope
    else:
        with pytest.raises(ValidationError, match=f"signal 'x': {reason.format(kind=kind)}"):
            Signal.model_validate(given)


@pytest.mark.parametrize("kind", ["count", "distinct", "sum", "active_days", "sessions", "minutes"])
def test_the_first_days_from_signup_are_a_window_of_events_of_a_user(kind):
    found = catalogue(signal("x", measure(kind), windows=["first_14d", "7d"]))

    assert names(found) == ["x_first_14d", "x_7d"]
    assert [column.window.from_signup for column in found] == [True, False]


@pytest.mark.parametrize(
    ("kind", "scope"),
    [("count", "account"), ("count", "colleagues"), ("new_users", "user"), ("records", "user"), ("growth", "user"), ("abandoned", "user")],
)
def test_the_first_days_from_signup_are_refused_where_nobody_signed_up(kind, scope):
    with pytest.raises(
        ValidationError, match="signal 'x': 'first_14d' counts from a user's signup; use `scope: user` and a measure of events"
    ):
        catalogue(signal("x", measure(kind), windows=["first_14d"], scope=scope))


@pytest.mark.parametrize(("kind", "more"), [("latest", {}), ("attribute", {"type": "category"})])
def test_nothing_stands_in_for_a_missing_category(kind, more):
    given = signal("x", measure(kind) | more)

    assert Signal.model_validate(given).is_category
    with pytest.raises(ValidationError, match="signal 'x' is a category: `missing` is for numbers"):
        Signal.model_validate(given | {"missing": 0})


def test_a_number_may_stand_in_for_a_missing_value():
    assert Signal.model_validate(signal("x", measure("days_since_last"), missing=999)).missing == 999
    assert Signal.model_validate(signal("x", measure("days_since_last"))).missing is None


@pytest.mark.parametrize("kind", ["sessions", "minutes"])
def test_a_gap_is_a_length_of_time(kind):
    assert Signal.model_validate(signal("x", measure(kind), windows=["7d"])).measure.gap == "30m"
    with pytest.raises(ValidationError, match="window 'a while' is not a length of time"):
        catalogue(signal("x", measure(kind) | {"gap": "a while"}, windows=["7d"]))


def test_the_latest_of_one_event_is_refused():
    with pytest.raises(ValidationError, match="at least 2 items"):
        catalogue(signal("x", {"kind": "latest", "among": ["a"]}))


@pytest.mark.parametrize("window", ["30", "0d", "month", "-7d"])
def test_a_window_that_is_no_length_of_time_is_refused(window):
    with pytest.raises(ValidationError, match=f"window '{window}' is not a length of time"):
        catalogue(count("x", window))


@pytest.mark.parametrize("kind", ["abandoned", "growth"])
def test_a_measure_that_compares_with_before_needs_a_window_with_an_end(kind):
    with pytest.raises(ValidationError, match=f"signal 'x': measure '{kind}' needs a window with an end, such as 30d"):
        catalogue(signal("x", measure(kind), windows=["lifetime"]))


def test_a_grace_period_that_is_no_length_of_time_is_refused():
    with pytest.raises(ValidationError, match="window 'a day' is not a length of time"):
        catalogue(signal("x", measure("abandoned") | {"grace": "a day"}, windows=["30d"]))


@pytest.mark.parametrize(
    "condition",
    [{"gte": 1, "lt": 5}, {}, {"eq": 0, "among": ("a",)}],
)
def test_a_condition_has_exactly_one_operator(condition):
    with pytest.raises(ValidationError, match=f"condition on 'x' has {len(condition)} operators: give one of gte, gt, lte, lt, eq, among"):
        Condition(signal="x", **condition)


@pytest.mark.parametrize("condition", [{"gte": 0}, {"gt": 0}, {"lte": 0}, {"lt": 0}, {"eq": 0}, {"among": ()}])
def test_a_bound_of_nought_is_an_operator(condition):
    assert Condition(signal="x", **condition).signal == "x"


def test_a_rule_without_a_condition_is_refused():
    with pytest.raises(ValidationError, match="a rule needs at least one condition in `all` or `any`"):
        catalogue(rule("x"))


@pytest.mark.parametrize("name", ["Views", "7views", "my views", "views;", "", "v" * 64, "aé"])
def test_a_signal_id_is_small_letters_digits_and_underscores(name):
    with pytest.raises(ValidationError, match="pattern"):
        catalogue(count(name, "7d"))


def test_an_empty_catalogue_is_refused():
    with pytest.raises(ValidationError, match="at least 1 item"):
        catalogue()


@pytest.mark.parametrize(
    "wrong", [{"kind": "counts"}, {"evnts": []}, {"scope": "company"}, {"direction": "upwards"}, {"leak_risk": "some"}]
)
def test_a_declaration_with_an_unknown_word_is_refused(wrong):
    given = count("x", "7d")
    where = given["measure"] if set(wrong) & {"kind", "evnts"} else given
    where |= wrong

    with pytest.raises(ValidationError):
        catalogue(given)


def test_a_catalogue_does_not_change_after_reading():
    found = catalogue(count("x", "7d"))

    with pytest.raises(ValidationError, match="frozen"):
        found.signals = ()
    with pytest.raises(ValidationError, match="frozen"):
        found.signals[0].id = "y"


def test_selected_signals_keep_their_declared_order():
    found = catalogue(count("b", "7d"), count("a", "7d"), count("c", "7d", "30d"))

    assert names(found.select(["c", "b"])) == ["b_7d", "c_7d", "c_30d"]


def test_a_selection_that_leaves_a_reference_behind_is_refused():
    with pytest.raises(ValidationError, match="refers to 'a_7d', which is not declared"):
        catalogue(count("a", "7d"), ratio("r", "a_7d", "a_7d")).select(["r"])


def test_references_and_event_filters_are_read_from_the_measure():
    share = Signal.model_validate(ratio("share", "a", "b", requires=[{"signal": "c", "gte": 1}]))
    left = Signal.model_validate(signal("left", {"kind": "difference", "of": "a", "minus": "b"}))
    either = Signal.model_validate(signal("either", {"kind": "rule", "all": [{"signal": "a", "gt": 1}], "any": [{"signal": "b", "lt": 2}]}))
    step = Signal.model_validate(
        signal("step", {"kind": "abandoned", "started": {"events": ["begin"]}, "completed": {"events": ["end"]}}, windows=["7d"])
    )
    latest = Signal.model_validate(signal("latest", {"kind": "latest", "among": ["a", "b"]}))

    assert references(share) == ("a", "b", "c")
    assert references(left) == ("a", "b")
    assert references(either) == ("a", "b")
    assert event_filters(share) == ()
    assert [chosen.events for chosen in event_filters(step)] == [("begin",), ("end",)]
    assert [chosen.events for chosen in event_filters(latest)] == [("a",), ("b",)]
    assert references(step) == ()


def test_attributes_of_text_are_categories_and_those_of_numbers_are_not():
    attribute = {"kind": "attribute", "table": "users", "column": "title"}

    assert Signal.model_validate(signal("x", attribute | {"type": "category"})).is_category
    assert not Signal.model_validate(signal("x", attribute)).is_category
    assert not Signal.model_validate(count("x", "7d")).is_category
