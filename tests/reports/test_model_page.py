import html
import re

import pytest

from pls_ml.core.errors import DataError
from pls_ml.reports.model_page import ModelPage, Picture, Section, Table, render_model_page

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + (30).to_bytes(4, "big") + (20).to_bytes(4, "big") + b"rest"
HOSTILE = '"><script>alert(1)</script>\u202e'


def make_page(text="plain", **picture):
    drawn = Picture(**{"name": "gain", "title": text, "png": PNG, "alt": text, "caption": text} | picture)
    table = Table(text, ("candidate", text), (("rules", text), ("model", "0.5")), text)
    return ModelPage(text, text, text, ((text, text),), (Section("worth", text, (text,), (table,), (drawn,)), Section("data", "Data")))


def test_the_file_asks_for_nothing_from_anywhere():
    rendered = render_model_page(make_page())

    addresses = re.findall(r'\b(?:src|href)="([^"#]*)"', rendered)
    assert addresses == ["data:,", Picture("", "", PNG, "").source]
    assert not re.search(r"https?:|@import|url\(|<script", rendered)


def test_the_same_content_gives_the_same_file():
    assert render_model_page(make_page()) == render_model_page(make_page())


def test_a_hostile_text_adds_no_element_anywhere():
    rendered, plain = render_model_page(make_page(HOSTILE)), render_model_page(make_page())

    assert re.findall(r"<[a-z/][^>\s]*", rendered) == re.findall(r"<[a-z/][^>\s]*", plain)
    assert "\u202e" not in rendered


def test_a_picture_has_words_its_size_and_its_caption():
    rendered = html.unescape(render_model_page(make_page("gain of all", alt="rules below model")))

    assert 'alt="gain of all: rules below model" width="30" height="20"' in rendered
    assert "<figcaption>gain of all</figcaption>" in rendered


def test_every_cell_of_a_table_is_under_a_header():
    rendered = render_model_page(make_page())

    assert rendered.count('scope="col"') == 2
    assert rendered.count('scope="row"') == 2


def test_a_picture_without_words_is_refused():
    with pytest.raises(DataError, match="the picture 'gain' has no words"):
        render_model_page(make_page(alt=" "))


def test_a_row_of_another_length_is_refused():
    table = Table("Figures", ("candidate", "auc"), (("rules",),))

    with pytest.raises(DataError, match="a row of 'Figures' has 1 cells: expected 2"):
        render_model_page(ModelPage("t", "v", "d", (), (Section("a", "A", (), (table,)),)))
