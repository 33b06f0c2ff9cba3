import pytest
from pydantic import ValidationError

from pls_ml.core.catalogue import Catalogue, Condition, Signal, event_filters, references


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


WINDOWED = ["count", "distinct", "sum", "active_days", "active_users", "abandoned"]
UNWINDOWED = ["days_since_last", "seconds_to_first", "rising", "declining", "age_days", "account_users"]


def measure(kind: str) -> dict:
    more = {"distinct": {"of": "feature"}, "sum": {"of": "value"}, "abandoned": {"started": {}, "completed": {}}}
    return {"kind": kind} | more.get(kind, {})


@pytest.mark.parametrize("kind", WINDOWED)
def test_a_measure_over_a_window_needs_one(kind):
    with pytest.raises(ValidationError, match=rf"signal 'x' needs `windows`, for example \[30d\] or \[lifetime\] \(measure '{kind}'\)"):
        catalogue(signal("x", measure(kind)))
    assert names(catalogue(signal("x", measure(kind), windows=["30d"]))) == ["x_30d"]


@pytest.mark.parametrize("kind", UNWINDOWED)
def test_a_measure_without_a_window_takes_none(kind):
    with pytest.raises(ValidationError, match=rf"signal 'x' takes no `windows` \(measure '{kind}'\)"):
        catalogue(signal("x", measure(kind), windows=["30d"]))
    assert names(catalogue(signal("x", measure(kind)))) == ["x"]


@pytest.mark.parametrize("window", ["30", "0d", "month", "-7d"])
def test_a_window_that_is_no_length_of_time_is_refused(window):
    with pytest.raises(ValidationError, match=f"window '{window}' is not a length of time"):
        catalogue(count("x", window))


def test_an_abandoned_step_needs_a_window_with_an_end():
    with pytest.raises(ValidationError, match="signal 'x': an abandoned step needs a window with an end, such as 30d"):
        catalogue(signal("x", measure("abandoned"), windows=["lifetime"]))


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
    with pytest.raises(ValidationError, match="at least 1 item"):
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
    step = Signal.model_validate(
        signal("step", {"kind": "abandoned", "started": {"events": ["begin"]}, "completed": {"events": ["end"]}}, windows=["7d"])
    )

    assert references(share) == ("a", "b", "c")
    assert event_filters(share) == ()
    assert [chosen.events for chosen in event_filters(step)] == [("begin",), ("end",)]
    assert references(step) == ()


def test_only_attributes_of_text_are_categories():
    attribute = {"kind": "attribute", "table": "users", "column": "title"}

    assert Signal.model_validate(signal("x", attribute | {"type": "category"})).is_category
    assert not Signal.model_validate(signal("x", attribute)).is_category
    assert not Signal.model_validate(count("x", "7d")).is_category
