"""A bundle's files are under their manifest: whatever is missing, added or changed is refused before it is read."""

import json
from pathlib import Path

import pytest

from pls_ml.core.errors import BundleError
from pls_ml.io.bundles import read_bundle, write_bundle

PARTS = {"scorers": {"used": "rules", "weights": [1.5, -2]}, "facts": {"name": "Zürich"}}
TEXTS = {"trees_0": "tree\r\nleaf=1\n\n"}


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return tmp_path / write_bundle(tmp_path, PARTS, TEXTS)


def rewrite_manifest(bundle: Path, **changes) -> None:
    path = bundle / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_what_is_written_is_what_is_read(bundle):
    assert read_bundle(bundle) == (PARTS, TEXTS)


def test_the_version_is_named_by_the_content(tmp_path):
    first = write_bundle(tmp_path, PARTS, TEXTS)

    assert write_bundle(tmp_path, dict(reversed(PARTS.items())), TEXTS) == first
    assert write_bundle(tmp_path, PARTS, {"trees_0": "other"}) != first
    assert write_bundle(tmp_path, PARTS | {"facts": {"name": "Bern"}}, TEXTS) != first


@pytest.mark.parametrize("name", ["scorers.json", "trees_0.txt"])
def test_one_changed_byte_is_refused_with_the_file(bundle, name):
    content = bytearray((bundle / name).read_bytes())
    content[-2] ^= 1
    (bundle / name).write_bytes(content)

    with pytest.raises(BundleError, match=f"{name} is missing or was changed after training: restore the bundle or train again"):
        read_bundle(bundle)


def test_a_missing_file_is_refused(bundle):
    (bundle / "facts.json").unlink()

    with pytest.raises(BundleError, match=r"facts\.json is missing or was changed"):
        read_bundle(bundle)


def test_a_file_that_was_added_is_refused(bundle):
    (bundle / "trees_1.txt").write_text("tree")

    with pytest.raises(BundleError, match=r"trees_1\.txt was added after training"):
        read_bundle(bundle)


@pytest.mark.parametrize("name", ["../secret.txt", "sub/secret.txt", "/etc/hostname", "..", ".", ""])
def test_a_manifest_that_points_outside_its_folder_is_refused(bundle, name):
    for secret in (bundle.parent / "secret.txt", bundle / "sub" / "secret.txt"):
        secret.parent.mkdir(exist_ok=True)
        secret.write_text("x")
    rewrite_manifest(bundle, files={name: "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"})

    with pytest.raises(BundleError, match="is missing or was changed after training"):
        read_bundle(bundle)


@pytest.mark.parametrize("number", [1, 3, "2", None])
def test_an_unknown_format_is_refused_with_the_known_one(bundle, number):
    rewrite_manifest(bundle, format=number)

    with pytest.raises(BundleError, match=f"has bundle format {number}: this version reads 2; train again"):
        read_bundle(bundle)


@pytest.mark.parametrize("text", ["", "{", "[]", "5", '{"format": 1}', '{"format": 1, "files": "abc"}', b"\xff\xfe"])
def test_a_damaged_manifest_is_refused(bundle, text):
    (bundle / "manifest.json").write_bytes(text if isinstance(text, bytes) else text.encode())

    with pytest.raises(BundleError, match=r"manifest\.json is damaged .*: restore the bundle or train again"):
        read_bundle(bundle)


def test_a_folder_without_a_manifest_is_no_bundle(tmp_path):
    with pytest.raises(BundleError, match=r"no bundle at .*: train one with `pls-ml train`"):
        read_bundle(tmp_path)


@pytest.mark.parametrize("name", ["scorers.json", "manifest.json"])
def test_training_again_restores_a_damaged_bundle(bundle, name):
    (bundle / name).write_text("{}")

    assert write_bundle(bundle.parent, PARTS, TEXTS) == bundle.name
    assert read_bundle(bundle)[0] == PARTS
