"""One digest over many files: by their names below a root and their contents, in any order."""

from pathlib import Path

import pytest

from pls_ml.core.files import digest_file, digest_files


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / "a.csv", tmp_path / "2024" / "a.csv", tmp_path / "2024" / "b.csv"]
    (tmp_path / "2024").mkdir()
    for number, path in enumerate(paths):
        path.write_text(f"x\n{number}\n")
    return paths


def test_the_order_of_the_files_does_not_matter(files, tmp_path):
    assert digest_files(files, tmp_path) == digest_files(reversed(files), tmp_path)


def test_the_place_of_the_root_does_not_matter(files, tmp_path):
    before = digest_files(files, tmp_path)
    root = tmp_path.rename(tmp_path.with_name(f"{tmp_path.name} elsewhere"))

    assert digest_files([root / path.relative_to(tmp_path) for path in files], root) == before


def test_a_relative_path_is_the_file_it_leads_to(files, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    assert digest_files([path.relative_to(tmp_path) for path in files], Path()) == digest_files(files, tmp_path)


def test_a_changed_byte_a_new_name_or_a_file_less_is_another_digest(files, tmp_path):
    found = {digest_files(files, tmp_path), digest_files(files[1:], tmp_path), digest_files(files, tmp_path / "2024")}
    files[0].write_text("x\n9\n")
    found.add(digest_files(files, tmp_path))
    files[0].rename(tmp_path / "c.csv")
    found.add(digest_files([tmp_path / "c.csv", *files[1:]], tmp_path))

    assert len(found) == 5


def test_two_files_that_change_places_are_another_digest(files, tmp_path):
    before = digest_files(files, tmp_path)
    first, second = files[0].read_bytes(), files[1].read_bytes()
    files[0].write_bytes(second)
    files[1].write_bytes(first)

    assert digest_files(files, tmp_path) != before


def test_one_file_has_the_digest_of_its_content_under_any_name(files, tmp_path):
    copy = tmp_path / "copy.csv"
    copy.write_bytes(files[0].read_bytes())

    assert digest_file(copy) == digest_file(files[0])
