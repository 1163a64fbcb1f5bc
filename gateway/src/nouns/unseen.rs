//! Why a camera cannot be watched.

/// Why there is nothing to watch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unseen {
    /// There is no such camera.
    Unknown,
    /// Nothing of what it sends is kept.
    Off,
    Masked,
    /// It cannot be put into a film without coding it anew.
    Codec,
    /// Nothing of it came of late.
    Nothing,
    /// So many watch already.
    Full(usize),
}
