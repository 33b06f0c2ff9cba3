"""A bundle on disk: text and JSON files under a manifest with their SHA-256, checked before anything reads them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pls_ml.core.errors import BundleError
from pls_ml.core.files import digest_data, digest_file, to_json, write_bytes, write_json

FORMAT = 2


def write_bundle(folder: Path, parts: dict[str, Any], texts: dict[str, str]) -> str:
    """Takes the folder that holds bundles, JSON parts and text parts by file stem; returns the version, named by the content.

    The same content twice is the same version; it is written again only where the files on disk were damaged.
    """
    files = {f"{name}.json": to_json(data) for name, data in parts.items()} | {f"{name}.txt": text for name, text in texts.items()}
    version = "m-" + digest_data({"format": FORMAT, "files": files})[:12]
    target = folder / version
    if not _is_intact(target):
        for name, text in files.items():
            write_bytes(target / name, text.encode())
        write_json(
            target / "manifest.json", {"format": FORMAT, "version": version, "files": {n: digest_file(target / n) for n in sorted(files)}}
        )
    return version


def _is_intact(folder: Path) -> bool:
    try:
        read_bundle(folder)
    except BundleError:
        return False
    return True


def read_bundle(folder: Path) -> tuple[dict[str, Any], dict[str, str]]:
    """Takes a bundle's folder; returns its JSON parts and text parts; refuses anything missing, added or changed."""
    manifest_path = folder / "manifest.json"
    if not manifest_path.is_file():
        raise BundleError(f"no bundle at {folder}: train one with `pls-ml train`, or give the folder of a bundle")
    try:
        manifest = json.loads(manifest_path.read_text(encoding="utf-8"))
        listed = dict(manifest["files"])
    except (ValueError, KeyError, TypeError) as error:
        raise BundleError(f"{manifest_path} is damaged ({error}): restore the bundle or train again") from error
    if manifest.get("format") != FORMAT:
        raise BundleError(f"{folder} has bundle format {manifest.get('format')}: this version reads {FORMAT}; train again")
    for name, digest in listed.items():
        if Path(name).name != name or not (folder / name).is_file() or digest_file(folder / name) != digest:
            raise BundleError(f"{folder / name} is missing or was changed after training: restore the bundle or train again")
    added = sorted({path.name for path in folder.glob("[!.]*")} - {*listed, "manifest.json"})
    if added:
        raise BundleError(f"{folder / added[0]} was added after training: remove it, or restore the bundle")
    texts = {Path(n).stem: (folder / n).read_bytes().decode() for n in listed if n.endswith(".txt")}
    parts = {Path(n).stem: json.loads((folder / n).read_bytes()) for n in listed if n.endswith(".json")}
    return parts, texts
