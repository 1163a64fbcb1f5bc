//! Files of tickets: pictures and voice notes that officers add. Their bytes are evidence.

use std::sync::Arc;

/// What a file shows of its ticket, as who adds it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// A picture from before the work, and one from after it.
    Before,
    After,
    Photo,
    Voice,
    Other,
}

/// A file on the shelf that is to be a ticket's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFile {
    pub ticket: u64,
    pub kind: FileKind,
    /// Media type by its first bytes.
    pub media: &'static str,
    pub who: Arc<str>,
    /// When it was taken, as the sender says.
    pub at_ms: i64,
    pub shelved: Shelved,
}

/// A file that is on disk, and not yet in its row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shelved {
    /// Its name below the folder of evidence.
    pub file: String,
    /// Of its bytes as they are on disk, in hex.
    pub sha256: String,
    pub n_bytes: u64,
}

impl FileKind {
    pub const ALL: [FileKind; 5] =
        [FileKind::Before, FileKind::After, FileKind::Photo, FileKind::Voice, FileKind::Other];

    pub const fn as_str(self) -> &'static str {
        match self {
            FileKind::Before => "before",
            FileKind::After => "after",
            FileKind::Photo => "photo",
            FileKind::Voice => "voice",
            FileKind::Other => "other",
        }
    }

    pub fn parse(text: &str) -> Option<FileKind> {
        FileKind::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// Whether a file of this media type can be one of this kind.
    pub fn takes(self, media: &str) -> bool {
        match self {
            FileKind::Before | FileKind::After | FileKind::Photo => media.starts_with("image/"),
            FileKind::Voice => media.starts_with("audio/"),
            FileKind::Other => true,
        }
    }
}

/// Under this name the evidence of a ticket's files is held, audited and kept.
pub fn owner_of_files(ticket: u64) -> String {
    format!("T-{ticket}")
}
