# SPDX-License-Identifier: Apache-2.0
"""A query is told from what changes something before it is executed."""

from __future__ import annotations

import sqlite3

import pytest

from airflow_provider_instasent.api.errors import ConfigurationError
from airflow_provider_instasent.transfers.reading_only import check_reads_only, check_yields_rows

QUERIES = [
    "SELECT a FROM b",
    "select a from b;",
    "-- who\nSELECT 1 /* DELETE */ ;  -- DROP TABLE t",
    "WITH x AS (SELECT 1), y AS MATERIALIZED (SELECT 2) SELECT * FROM x, y",
    "(SELECT 1) UNION (SELECT 2)",
    "VALUES (1, 2)",
    "TABLE people",
    "FROM people SELECT phone",
    "SHOW TABLES",
    "SELECT replace(phone, ' ', '') AS phone FROM p",
    "SELECT REPLACE (phone, ' ', '') FROM p",
    "SELECT * EXCLUDE (x) REPLACE (a AS b) FROM t",
    "SELECT truncate(1.5, 1) FROM t",
    "SELECT t.update, t.delete, a AS insert FROM t",
    'SELECT "update", `delete`, [insert] FROM t',
    "SELECT 'DELETE FROM x; DROP' FROM t WHERE note = 'it''s; update'",
    "SELECT $$; DELETE $$",
    "SELECT created_at, updated_at, deleted, insert_date FROM p",
    "SELECT phone FROM p FOR UPDATE SKIP LOCKED",
    "SELECT phone FROM p FOR NO KEY UPDATE",
    "\ufeffSELECT phone FROM p",
    "SELECT phone FROM p INNER MERGE JOIN q ON p.id = q.id OPTION (MERGE JOIN)",
    "SELECT phone # who\nFROM p",
    "SELECT /*+ INDEX(p) */ phone FROM p WHERE path LIKE 'a\\b'",
    "SELECT phone FROM p WHERE id = %(id)s AND x LIKE %s AND y = ? AND z = :z",
]
CHANGES = {
    "": "is empty",
    " ;; ": "is empty",
    "-- nothing": "is empty",
    "; SELECT 1": "begins with an empty statement",
    "UPDATE t SET a=1": "begins with `UPDATE`",
    "  /* x */ DROP TABLE t": "begins with `DROP`",
    "DELETE FROM t": "begins with `DELETE`",
    "INSERT INTO t VALUES (1) RETURNING a": "begins with `INSERT`",
    "REPLACE INTO t VALUES (1)": "begins with `REPLACE`",
    "CREATE OR REPLACE TABLE x AS SELECT 1": "begins with `CREATE`",
    "DO $$ BEGIN DELETE FROM t; END $$": "begins with `DO`",
    "EXPLAIN ANALYZE DELETE FROM t": "begins with `EXPLAIN`",
    "CALL p()": "begins with `CALL`",
    "PRAGMA user_version = 3": "begins with `PRAGMA`",
    "COPY t FROM '/x'": "begins with `COPY`",
    "WITH x AS (DELETE FROM t RETURNING a) SELECT * FROM x": "has `DELETE`",
    "WITH x AS MATERIALIZED (\n update t set a = 1 returning a\n) select 1": "has `UPDATE`",
    "WITH x AS (SELECT 1) INSERT INTO t SELECT * FROM x": "has `INSERT`",
    "WITH x AS (SELECT 1) REPLACE INTO t SELECT 1": "has `REPLACE`",
    "SELECT * INTO new FROM t": "has `INTO`",
    "SELECT a INTO OUTFILE '/tmp/x' FROM t": "has `INTO`",
    "FROM t INSERT OVERWRITE TABLE x SELECT a": "has `INSERT`",
    "SELECT 1 DROP TABLE t": "has `DROP`",
    "SELECT 1 /*!50000 INTO OUTFILE '/tmp/x' */ FROM t": "has `INTO`",
    "SELECT 1 /*!50000 ; DELETE FROM t */": "holds 2 statements|has `DELETE`",
    "SELECT a # b ; DELETE FROM t": "holds 2 statements|has `DELETE`",
    "SELECT 'a\\' ; DELETE FROM t; -- '": "holds 2 statements|has `DELETE`",
    "SELECT 1 EXEC('DROP TABLE t')": "has `EXEC`",
    "SELECT 1 EXECUTE (x)": "has `EXECUTE`",
    "SELECT 1 CALL p()": "has `CALL`",
    "SELECT 1; DELETE FROM t": "holds 2 statements",
    "SELECT 1;\nSELECT 2;": "holds 2 statements",
}


@pytest.mark.parametrize("sql", QUERIES)
def test_a_query_is_taken(sql):
    check_reads_only(sql)


@pytest.mark.parametrize("sql", CHANGES)
def test_what_is_no_query_is_refused_by_what_it_is(sql):
    with pytest.raises(ConfigurationError, match=f"`sql` (?:{CHANGES[sql]}).*not executed.*nothing was sent"):
        check_reads_only(sql)


@pytest.mark.parametrize("sql", [["SELECT 1"], ("SELECT 1", "SELECT 2"), None, 5])
def test_one_query_is_a_string(sql):
    with pytest.raises(ConfigurationError, match=f"`sql` is a {type(sql).__name__}"):
        check_reads_only(sql)


def test_a_statement_that_gave_no_rows_is_refused_afterwards():
    cursor = sqlite3.connect(":memory:").cursor()
    cursor.execute("SELECT 1 WHERE 1 = 2")
    check_yields_rows(cursor)
    cursor.execute("CREATE TABLE t (a)")
    with pytest.raises(ConfigurationError, match="`sql` is no query"):
        check_yields_rows(cursor)
