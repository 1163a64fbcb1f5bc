//! What the object model names in a picture: a class, a score, a box. Never who.

use std::sync::Arc;

use outpost_detectors::observation::Blob;

#[derive(Debug, Clone, PartialEq)]
pub struct Object {
    pub class: Arc<str>,
    pub kind: ObjectKind,
    /// How sure the model is, 0..1. No odds: what a score is worth differs from model to model.
    pub score: f32,
    /// Shares of the picture, 0..1; its area is the box's.
    pub place: Blob,
}

/// What a class stands for beside its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ObjectKind {
    Fire,
    Smoke,
    Other,
}

/// What came of the object model's part of a look.
#[derive(Debug, Clone, PartialEq)]
pub enum Judged {
    /// There is no model, or no picture.
    Unasked,
    /// What of fire and smoke it named, surest first; empty where it named neither.
    Named(Vec<Object>),
    /// It gave no answer, for this reason.
    Silent(&'static str),
}

impl Object {
    /// Class, score and box in words.
    pub fn words(&self) -> String {
        let [left, top, right, bottom] =
            [self.place.left, self.place.top, self.place.right, self.place.bottom].map(|share| share * 100.0);
        format!(
            "{} ({:.2}) at {left:.0} to {right:.0} % across and {top:.0} to {bottom:.0} % down",
            self.class, self.score
        )
    }
}
