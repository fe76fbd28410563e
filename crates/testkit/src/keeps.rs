//! Whether some bytes stand anywhere in the rows, as somebody who stole the database would look for them.

use sqlx::{AnyConnection, AssertSqlSafe, Row};

use crate::Home;

impl Home {
    /// Whether any column of any row holds `what`, as it is or in hexadecimal. The rows are read with the key of
    /// the file: what is sealed stays sealed.
    pub async fn keeps(&self, what: &str) -> bool {
        let mut raw = self.raw().await;
        let queries = match self.database() {
            Some(_) => of_postgres(&mut raw, what).await,
            None => of_sqlite(&mut raw, what).await,
        };
        assert!(queries.len() > 20, "every table is looked at");
        for query in queries {
            let found = sqlx::query(AssertSqlSafe(query)).fetch_one(&mut raw).await.expect("it can be read");
            if found.get::<i64, _>(0) > 0 {
                return true;
            }
        }
        false
    }
}

fn hexadecimal(what: &str) -> String {
    what.bytes().map(|byte| format!("{byte:02x}")).collect()
}

/// A whole row as text shows its bytes in hexadecimal.
async fn of_postgres(raw: &mut AnyConnection, what: &str) -> Vec<String> {
    assert!(!what.contains('\''), "no text that would end the query");
    let hex = hexadecimal(what);
    let tables = "SELECT CAST(tablename AS TEXT) FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')";
    let tables = sqlx::query(tables).fetch_all(raw).await.expect("the tables");
    let names = tables.iter().map(|found| found.get::<String, _>(0));
    let either = |name| {
        format!(
            "SELECT COUNT(*) FROM \"{name}\" AS one \
             WHERE position('{what}' IN one::text) > 0 OR position('{hex}' IN one::text) > 0"
        )
    };
    names.map(either).collect()
}

async fn of_sqlite(raw: &mut AnyConnection, what: &str) -> Vec<String> {
    let (plain, hex) = (hexadecimal(what), hexadecimal(&hexadecimal(what)));
    let columns = "SELECT CAST(tables.name AS TEXT), CAST(columns.name AS TEXT) FROM sqlite_master AS tables, \
                   pragma_table_info(tables.name) AS columns WHERE tables.type = 'table'";
    let columns = sqlx::query(columns).fetch_all(raw).await.expect("the columns");
    let either = |found: &sqlx::any::AnyRow| {
        let (table, column): (String, String) = (found.get(0), found.get(1));
        format!(
            "SELECT COUNT(*) FROM \"{table}\" WHERE instr(CAST(\"{column}\" AS BLOB), x'{plain}') > 0 \
             OR instr(CAST(\"{column}\" AS BLOB), x'{hex}') > 0"
        )
    };
    columns.iter().map(either).collect()
}
