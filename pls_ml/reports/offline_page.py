"""One self-contained HTML file from a template, its style, its script and its data: nothing is ever fetched.

The content security policy allows exactly the style and the script that are in the file, by their hash, and nothing else.
Data stand in it as packs, which the script unpacks, so that no text of theirs is in the HTML.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

_TEMPLATES = Path(__file__).parent / "templates"


def render_offline_page(name: str, texts: Mapping[str, Any]) -> str:
    """Takes a page's name below `templates/`, and what its template shows, packs of data among it; returns the HTML.

    Reads `<name>/page.html.j2`, every `.css` and every `.js` of the folder, the latter in the order of their names.
    The same input gives the same bytes.
    """
    folder = _TEMPLATES / name
    style, script = _join(folder, "*.css"), _join(folder, "*.js")
    environment = Environment(
        loader=FileSystemLoader(folder), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("page.html.j2").render(
        texts,
        policy=_policy(style, script),
        style=Markup(style),  # noqa: S704  # the package's own files
        script=Markup(script),  # noqa: S704
    )


def _join(folder: Path, pattern: str) -> str:
    return "\n" + "\n".join(path.read_text(encoding="utf-8") for path in sorted(folder.glob(pattern)))


def _policy(style: str, script: str) -> Markup:
    hashes = [f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'" for text in (script, style)]
    parts = (
        "default-src 'none'",
        f"script-src {hashes[0]}",
        f"style-src {hashes[1]}",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
    )
    return Markup("; ".join(parts))  # noqa: S704  # hashes and fixed words; stands in double quotes
