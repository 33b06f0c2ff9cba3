"""The generated queries, written for DuckDB, in the SQL of other engines: through sqlglot, and by rules of our own where it has none.

What a rule gives is what DuckDB gives, bit for bit, whatever the time zone of the session.
"""

from __future__ import annotations

from typing import Any

from pls_ml.core.errors import ConfigError, suggest

Node = Any
"""A part of sqlglot's syntax tree."""
DIALECTS = ("spark", "postgres", "snowflake", "bigquery")
LONGEST_NAME = {"postgres": 63}
"""Bytes of a name; PostgreSQL cuts what is longer without an error."""
_HALVES = ("6148914691236517205", "3689348814741910323", "1085102592571150095")
"""Masks of every other bit, pair and four of bits."""


def to_dialect(sql: str, dialect: str, pretty: bool = False) -> str:
    """Takes a generated query and one of `DIALECTS`; returns it in that dialect, every name quoted as it is written.

    Row numbers over everything, which only tell rows apart, become texts: numbering would gather all rows in one place. Refuses another
    dialect, and names that the dialect does not keep apart.
    """
    import sqlglot

    if dialect not in DIALECTS:
        raise ConfigError(f"there is no SQL dialect '{dialect}'{suggest(dialect, DIALECTS)}: choose one of {', '.join(DIALECTS)}")
    tree = sqlglot.parse_one(sql, read="duckdb")
    for node in reversed(list(tree.walk())):  # from the leaves up: what stands inside a rewritten call is rewritten already
        rewritten = _rewrite(node, dialect)
        if rewritten is not node:
            node.replace(rewritten)
    _refuse_long_names(tree, dialect)
    written: str = tree.sql(dialect, identify=True, pretty=pretty, unsupported_level=sqlglot.ErrorLevel.RAISE)
    return written


def _rewrite(node: Node, dialect: str) -> Node:
    """One node as the dialect needs it; the node itself where sqlglot knows what to do."""
    from sqlglot import exp

    if isinstance(node, exp.Anonymous) and node.name.lower() in _CALLS:
        return _CALLS[node.name.lower()](node, dialect)
    if isinstance(node, exp.IntDiv):
        return _divide(node, dialect)
    if isinstance(node, exp.Window) and isinstance(node.this, exp.RowNumber) and not node.args.get("partition_by"):
        return _name_row(node)
    if isinstance(node, exp.Collate):  # the others compare texts by their bytes anyway
        return exp.Collate(this=node.this, expression=exp.to_identifier("C", quoted=True)) if dialect == "postgres" else node.this
    if isinstance(node, exp.TryCast) and isinstance(node.this, exp.Cast) and node.this.to == node.to:
        return node.this  # Snowflake tries texts only
    return node


def _find_micros(node: Node, dialect: str) -> Node:
    """`epoch_us`: microseconds since 1970 of a time stamp without zone."""
    from sqlglot import exp

    moment = node.expressions[0]
    if dialect == "spark":
        return _call("TIMESTAMPDIFF", exp.var("MICROSECOND"), exp.cast(exp.Literal.string("1970-01-01"), "TIMESTAMPNTZ"), moment)
    if dialect == "postgres":
        seconds = exp.Extract(this=exp.var("EPOCH"), expression=moment)
        return exp.cast(seconds * exp.Literal.number(1_000_000), "BIGINT")
    if dialect == "snowflake":
        return _call("DATE_PART", exp.var("EPOCH_MICROSECOND"), moment)
    return _call("UNIX_MICROS", _call("TIMESTAMP", moment))


def _change_zone(node: Node, dialect: str) -> Node:
    """`timezone(to, timezone(from, stamp))`: the same moment on another clock; PostgreSQL has the very function."""
    from sqlglot import exp

    to, inner = node.expressions
    if dialect == "postgres" or not (isinstance(inner, exp.Anonymous) and inner.name.lower() == "timezone"):
        return node
    origin, stamp = inner.expressions
    if dialect == "bigquery":
        return _call("DATETIME", _call("TIMESTAMP", stamp, origin), to)
    return _call("CONVERT_TIMEZONE", origin, to, stamp)


def _count_bits(node: Node, dialect: str) -> Node:
    """`bit_count` of at most 62 bits; Snowflake has none: there, bits are added up within pairs, pairs within fours, and so on."""
    from sqlglot import exp

    mask = node.expressions[0]
    if dialect == "postgres":
        return _call("BIT_COUNT", exp.cast(mask, "BIT(64)"))
    if dialect != "snowflake":
        return node
    bits, pairs, fours = map(exp.Literal.number, _HALVES)
    twos = exp.paren(mask) - _and(_shift(mask, 1), bits)
    quads = _and(twos, pairs) + _and(_shift(twos, 2), pairs)
    return _call("MOD", _and(quads + _shift(quads, 4), fours), exp.Literal.number(255))


def _divide(node: Node, dialect: str) -> Node:
    """`//`: PostgreSQL gives a decimal number; Snowflake's quotient is rounded, so there only what divides without a rest is divided."""
    from sqlglot import exp

    if dialect == "postgres":
        return exp.cast(_call("DIV", node.left, node.right), "BIGINT")
    if dialect != "snowflake":
        return node
    whole = exp.paren(node.left) - _call("MOD", node.left.copy(), node.right.copy())
    return exp.cast(exp.paren(whole) / node.right, "BIGINT")


def _name_row(window: Node) -> Node:
    """A row's name instead of its number: the texts of what the rows are ordered by."""
    from sqlglot import exp

    name: Node
    name, *others = [exp.cast(ordered.this, "VARCHAR") for ordered in window.args["order"].expressions]
    for other in others:
        name = exp.DPipe(this=exp.DPipe(this=name, expression=exp.Literal.string("@")), expression=other)
    return name


def _refuse_long_names(tree: Node, dialect: str) -> None:
    from sqlglot import exp

    longest = LONGEST_NAME.get(dialect)
    for identifier in tree.find_all(exp.Identifier):
        if longest is not None and len(identifier.name.encode()) > longest:
            raise ConfigError(f"'{identifier.name}' is longer than the {longest} bytes {dialect} keeps of a name: give it a shorter one")


def _call(name: str, *arguments: Node) -> Node:
    from sqlglot import exp

    return exp.Anonymous(this=name, expressions=list(arguments))


def _and(one: Node, other: Node) -> Node:
    return _call("BITAND", one.copy(), other.copy())


def _shift(bits: Node, by: int) -> Node:
    from sqlglot import exp

    return _call("BITSHIFTRIGHT", bits.copy(), exp.Literal.number(by))


_CALLS = {"epoch_us": _find_micros, "timezone": _change_zone, "bit_count": _count_bits}
