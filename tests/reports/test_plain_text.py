import pytest
from hypothesis import given
from hypothesis import strategies as st

from pls_ml.reports.plain_text import clean_text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Acme GmbH", "Acme GmbH"),
        ("  two\twords\r\n", "two words"),
        ("gpj\u202eexe\u2066.\u2069", "gpjexe."),
        ("a\x00b\x1b[31mc\ufeff", "ab[31mc"),
        ("line\u2028break", "line break"),
        ("lone \ud800 surrogate", "lone surrogate"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("=1+1", "=1+1"),
        ("\u202e", ""),
    ],
)
def test_invisible_marks_go_and_words_stay(text, shown):
    assert clean_text(text) == shown


def test_long_text_is_cut_with_an_ellipsis():
    assert clean_text("a" * 120) == "a" * 120
    assert clean_text("a" * 5_000) == "a" * 119 + "…"


@given(st.text(alphabet=st.characters()), st.integers(1, 30))
def test_cleaning_is_bounded_encodable_and_idempotent(text, most):
    shown = clean_text(text, most)
    assert len(shown) <= most
    assert clean_text(shown, most) == shown
    assert "\n" not in shown
    shown.encode()
