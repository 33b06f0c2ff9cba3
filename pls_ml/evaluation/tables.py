"""Rows of strings → one table, for a page or for a console."""

from collections.abc import Sequence
from html import escape


def render_html(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Takes a header and rows of its length; returns an HTML table, every cell escaped."""
    head = "".join(f"<th>{escape(cell)}</th>" for cell in header)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def render_text(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Takes a header and rows of its length; returns lines with aligned columns."""
    lines = [tuple(header), *map(tuple, rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
