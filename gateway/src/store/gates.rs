//! What cameras' size gates have earned. Learned again where it is lost, so it is not on disk at once.

use rusqlite::params;

use super::StoreError;
use super::queues::Queues;

#[derive(Debug, Clone, PartialEq)]
pub struct GateRow {
    pub source: String,
    /// Of the stream that it was earned on.
    pub url: String,
    /// JSON.
    pub earned: String,
}

impl Queues {
    pub fn gates(&self) -> Result<Vec<GateRow>, StoreError> {
        let conn = self.conn();
        let mut statement = conn.prepare_cached("SELECT source, url, earned FROM gate ORDER BY source")?;
        let rows = statement
            .query_map([], |row| Ok(GateRow { source: row.get(0)?, url: row.get(1)?, earned: row.get(2)? }))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// In place of what was kept of the same sources.
    pub fn keep_gates(&self, rows: &[GateRow]) -> Result<(), StoreError> {
        let mut conn = self.conn();
        let transaction = conn.transaction()?;
        for row in rows {
            transaction
                .prepare_cached("INSERT OR REPLACE INTO gate (source, url, earned) VALUES (?1, ?2, ?3)")?
                .execute(params![row.source, row.url, row.earned])?;
        }
        Ok(transaction.commit()?)
    }
}
