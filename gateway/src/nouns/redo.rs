//! The log of what rules remembered, as it is stored.

/// Entries of one batch, readable without any other row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedoRow {
    /// Number of its first entry.
    pub seq: i64,
    pub entries: Vec<u8>,
}

/// What a batch changes in the stored log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedoChange {
    pub row: Option<RedoRow>,
    /// Rows before this one are no longer needed.
    pub from: i64,
}
