"""Generated SQL in the words of each engine: what sqlglot does not know, and what it gets wrong."""

import pytest
import sqlglot

from pls_ml.core.database import Database
from pls_ml.core.errors import ConfigError
from pls_ml.core.windows import Grain
from pls_ml.signals.dialects import DIALECTS, to_dialect

BERLIN = Grain("day", "Europe/Berlin").to_tick("t.at")


@pytest.mark.parametrize(
    ("dialect", "expected"),
    [
        ("spark", "TIMESTAMPDIFF(MICROSECOND, CAST('1970-01-01' AS TIMESTAMP_NTZ), `t`.`at`)"),
        ("postgres", 'CAST(EXTRACT(EPOCH FROM "t"."at") * 1000000 AS BIGINT)'),
        ("snowflake", 'DATE_PART(EPOCH_MICROSECOND, "t"."at")'),
        ("bigquery", "UNIX_MICROS(TIMESTAMP(`t`.`at`))"),
    ],
)
def test_microseconds_since_1970_do_not_depend_on_the_session_s_zone(dialect, expected):
    assert to_dialect("SELECT epoch_us(t.at) FROM t", dialect).startswith(f"SELECT {expected} FROM")


@pytest.mark.parametrize(
    ("dialect", "expected"),
    [
        ("spark", "CONVERT_TIMEZONE('UTC', 'Europe/Berlin', `t`.`at`)"),
        ("postgres", "TIMEZONE('Europe/Berlin', TIMEZONE('UTC', \"t\".\"at\"))"),
        ("snowflake", "CONVERT_TIMEZONE('UTC', 'Europe/Berlin', \"t\".\"at\")"),
        ("bigquery", "DATETIME(TIMESTAMP(`t`.`at`, 'UTC'), 'Europe/Berlin')"),
    ],
)
def test_a_local_day_names_both_zones(dialect, expected):
    assert expected in to_dialect(f"SELECT {BERLIN} FROM t", dialect)


def test_whole_division_stays_whole_where_quotients_are_rounded_or_decimal():
    assert to_dialect("SELECT a // 7 FROM t", "snowflake") == 'SELECT CAST((("a") - MOD("a", 7)) / 7 AS BIGINT) FROM "t"'
    assert to_dialect("SELECT a // 7 FROM t", "postgres") == 'SELECT CAST(DIV("a", 7) AS BIGINT) FROM "t"'


@pytest.mark.parametrize("mask", [0, 1, 2, 3, 0b1011, 2**61, 2**62 - 1, 0x2AAAAAAAAAAAAAAA, 123456789123456789])
def test_the_bits_of_a_mask_are_added_up_where_they_cannot_be_counted(mask):
    database = Database([], threads=1, memory_limit="500MB")
    for name, sign in (("BITAND", "&"), ("BITSHIFTRIGHT", ">>")):
        database.execute(f"CREATE MACRO {name}(a, b) AS (CAST(a AS BIGINT) {sign} CAST(b AS BIGINT))")

    found = database.rows(to_dialect(f"SELECT bit_count(CAST({mask} AS BIGINT)) AS bits", "snowflake"))

    assert found == [(mask.bit_count(),)]


def test_postgres_counts_the_bits_of_a_bit_string():
    assert to_dialect("SELECT bit_count(m) FROM t", "postgres") == 'SELECT BIT_COUNT(CAST("m" AS BIT(64))) FROM "t"'


@pytest.mark.parametrize("dialect", DIALECTS)
def test_rows_are_not_numbered_in_one_place(dialect):
    written = to_dialect(
        "SELECT row_number() OVER (ORDER BY lead_id, tick) AS key, row_number() OVER (PARTITION BY a ORDER BY b) FROM t", dialect
    )

    assert written.upper().count("ROW_NUMBER()") == 1
    assert "|| '@' ||" in written


def test_only_postgres_has_to_be_told_to_order_texts_by_their_bytes():
    order = "SELECT lag(a) OVER (PARTITION BY b ORDER BY c COLLATE C) FROM t"

    assert 'ORDER BY "c" COLLATE "C"' in to_dialect(order, "postgres")
    assert not any("COLLATE" in to_dialect(order, dialect) for dialect in DIALECTS if dialect != "postgres")


def test_a_number_is_not_tried_again_where_only_texts_can_be():
    assert "TRY" not in to_dialect("SELECT TRY_CAST(CAST(x AS DOUBLE) AS DOUBLE) FROM t", "snowflake").upper()


@pytest.mark.parametrize("dialect", DIALECTS)
def test_names_and_texts_arrive_as_they_are(dialect):
    text = 'it\'s; \\ "odd"\n${x}'
    written = to_dialect(f"""SELECT s."row", '{text.replace("'", "''")}' AS "é b" FROM spine AS s""", dialect)

    parsed = sqlglot.parse_one(written, read=dialect)
    assert [column.alias_or_name for column in parsed.expressions] == ["row", "é b"]
    assert parsed.find(sqlglot.exp.Literal).this == text


def test_a_dialect_that_is_not_known_is_refused_with_the_ones_that_are():
    with pytest.raises(
        ConfigError, match=r"no SQL dialect 'postgress' \(did you mean 'postgres'\?\): choose one of spark, postgres, snowf"
    ):
        to_dialect("SELECT 1", "postgress")


def test_names_that_postgres_would_cut_are_refused():
    name = "a" * 64

    assert name in to_dialect(f"SELECT 1 AS {name}", "bigquery")
    with pytest.raises(ConfigError, match=f"'{name}' is longer than the 63 bytes postgres keeps of a name: give it a shorter one"):
        to_dialect(f"SELECT 1 AS {name}", "postgres")
