import pytest

from pls_ml.core.errors import (
    BundleError,
    BusyError,
    ConfigError,
    DataError,
    ImmatureOutcomesError,
    LeakageError,
    MissingExtraError,
    PlsError,
    TableError,
    UnknownLeadError,
    WriteError,
    suggest,
)


@pytest.mark.parametrize(
    ("error", "code", "builtin"),
    [
        (PlsError, 1, Exception),
        (ConfigError, 3, ValueError),
        (MissingExtraError, 3, ImportError),
        (DataError, 4, ValueError),
        (TableError, 4, ValueError),
        (LeakageError, 4, ValueError),
        (ImmatureOutcomesError, 4, ValueError),
        (UnknownLeadError, 4, LookupError),
        (BundleError, 5, ValueError),
        (WriteError, 73, OSError),
        (BusyError, 75, OSError),
    ],
)
def test_every_error_has_the_exit_code_of_its_culprit_and_is_a_builtin(error, code, builtin):
    assert error.exit_code == code
    assert issubclass(error, PlsError)
    assert issubclass(error, builtin)
    assert str(error("what happened")) == "what happened"


@pytest.mark.parametrize("error", [TableError, LeakageError, ImmatureOutcomesError, UnknownLeadError])
def test_what_the_data_are_to_blame_for_is_a_data_error(error):
    assert issubclass(error, DataError)


@pytest.mark.parametrize(
    ("name", "known", "expected"),
    [
        ("evnts", ["events", "users"], " (did you mean 'events'?)"),
        ("EVENTS", ["events", "users"], " (did you mean 'events'?)"),
        ("user_id", ["USER_ID", "EVENT"], " (did you mean 'USER_ID'?)"),
        ("zzz", ["events", "users"], ""),
        ("events", [], ""),
        ("u1", ("u10", "v1"), " (did you mean 'u10'?)"),
    ],
)
def test_the_nearest_name_is_suggested_whatever_its_case(name, known, expected):
    assert suggest(name, known) == expected
