//! Evidence as it lies on the disk: its kinds, and the reasons why there is none.

/// Each kind has limits of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EvidenceKind {
    Snapshot,
    Clip,
    /// A file of a ticket.
    Attachment,
}

/// Why there is no file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Missing {
    /// The clip is still being received.
    Pending,
    /// The camera has privacy masks, and a clip is not drawn over.
    Masked,
    /// The stream is not one that a clip can be made of without coding it anew.
    Codec,
    /// Nothing to be shown was at hand when it was asked for.
    Gone,
    /// Its time was over.
    Expired,
    /// It made room for newer evidence, or there was no room for it.
    Evicted,
    /// The file was not there any more, or could not be written.
    Lost,
}

impl EvidenceKind {
    pub const ALL: [EvidenceKind; 3] = [EvidenceKind::Snapshot, EvidenceKind::Clip, EvidenceKind::Attachment];

    pub const fn as_str(self) -> &'static str {
        match self {
            EvidenceKind::Snapshot => "snapshot",
            EvidenceKind::Clip => "clip",
            EvidenceKind::Attachment => "attachment",
        }
    }

    /// What the file of an alert is called; `no` is 0, or the number of an exhibit.
    pub fn file(self, alert: &str, no: u32) -> String {
        let extension = self.extension();
        if no == 0 { format!("{alert}.{extension}") } else { format!("{alert}-{no}.{extension}") }
    }

    /// Extension of its files.
    pub const fn extension(self) -> &'static str {
        match self {
            EvidenceKind::Snapshot => "jpg",
            EvidenceKind::Clip => "mp4",
            // What it is says its row.
            EvidenceKind::Attachment => "bin",
        }
    }
}

impl Missing {
    const ALL: [Missing; 7] = [
        Missing::Pending,
        Missing::Masked,
        Missing::Codec,
        Missing::Gone,
        Missing::Expired,
        Missing::Evicted,
        Missing::Lost,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Missing::Pending => "pending",
            Missing::Masked => "masked",
            Missing::Codec => "codec",
            Missing::Gone => "gone",
            Missing::Expired => "expired",
            Missing::Evicted => "evicted",
            Missing::Lost => "lost",
        }
    }

    pub fn parse(text: &str) -> Option<Missing> {
        Missing::ALL.into_iter().find(|missing| missing.as_str() == text)
    }
}
