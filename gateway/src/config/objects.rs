//! The object model: its file, what its classes are called, and which of them are fire and smoke.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Deserializer, de};

use super::fence_file::read_bytes_up_to as read;
use super::{Span, defaults};
use crate::nouns::ObjectKind;
use crate::objects::{Labels, Layout, Model};

/// Classes that a model may have.
pub const CLASSES_MAX: usize = 1024;
/// Longest name of a class.
const CLASS_BYTES_MAX: usize = 64;
/// Largest file of names.
const NAMES_BYTES_MAX: u64 = 256 << 10;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Objects {
    /// ONNX, relative to the configuration's folder.
    pub model: PathBuf,
    #[serde(default)]
    pub layout: Layout,
    pub classes: ClassNames,
    /// Boxes that the model is less sure of are none, 0..1.
    #[serde(default = "defaults::score_min")]
    pub score_min: f64,
    /// Boxes of a class that overlap more than this are one: intersection over union, 0..1.
    #[serde(default = "defaults::overlap_max")]
    pub overlap_max: f64,
    /// Classes that are fire, and that are smoke.
    #[serde(default)]
    pub fire: Vec<String>,
    #[serde(default)]
    pub smoke: Vec<String>,
    /// How long a look waits for the model.
    #[serde(default = "defaults::objects_timeout")]
    pub timeout: Span,
    /// Once the files were read.
    #[serde(skip)]
    pub loaded: Option<Arc<Model>>,
}

/// `"names.txt"`, one a line, relative to the configuration's folder; or a list of names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClassNames {
    File(PathBuf),
    Listed(Vec<String>),
}

/// What is wrong, and with which key.
pub(crate) type Fault = (&'static str, String);

impl Objects {
    /// The names of the classes in the order of the model, each once.
    pub(crate) fn names(&self, folder: &Path) -> Result<Vec<String>, String> {
        let names = match &self.classes {
            ClassNames::Listed(names) => names.clone(),
            ClassNames::File(file) => {
                let bytes = read(&folder.join(file), NAMES_BYTES_MAX)?;
                let text = String::from_utf8(bytes).map_err(|_| format!("{}: no text", file.display()))?;
                text.trim_end().lines().map(|line| line.trim().to_owned()).collect()
            }
        };
        if names.is_empty() || names.len() > CLASSES_MAX {
            return Err(format!("a model has 1 to {CLASSES_MAX} classes, these are {}", names.len()));
        }
        let is_odd =
            |name: &&String| name.is_empty() || name.len() > CLASS_BYTES_MAX || name.chars().any(char::is_control);
        if let Some(odd) = names.iter().position(|name| is_odd(&name)) {
            return Err(format!(
                "class {}: a name has 1 to {CLASS_BYTES_MAX} bytes and no control characters",
                odd + 1
            ));
        }
        let doubled = names.iter().enumerate().find(|(at, name)| names[..*at].contains(name));
        match doubled {
            Some((_, name)) => Err(format!("class {name:?} is there twice")),
            None => Ok(names),
        }
    }

    /// Reads the files, and tries the model once.
    pub(crate) fn load(&self, folder: &Path) -> Result<Model, Fault> {
        let names = self.names(folder).map_err(|message| ("classes", message))?;
        let kind = |name: &String| match () {
            () if self.fire.contains(name) => ObjectKind::Fire,
            () if self.smoke.contains(name) => ObjectKind::Smoke,
            () => ObjectKind::Other,
        };
        let classes = names.iter().map(|name| (Arc::from(name.as_str()), kind(name))).collect();
        let labels = Labels { classes, score_min: self.score_min as f32, overlap_max: self.overlap_max as f32 };
        let path = folder.join(&self.model);
        let of_model = |message: String| ("model", message);
        let bytes = read(&path, crate::objects::FILE_BYTES_MAX).map_err(of_model)?;
        let model = Model::load(bytes, self.layout, labels, self.timeout.duration());
        model.map_err(|error| of_model(format!("{}: {error}", self.model.display())))
    }
}

impl<'de> Deserialize<'de> for ClassNames {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<ClassNames, D::Error> {
        deserializer.deserialize_any(NamesVisitor)
    }
}

struct NamesVisitor;

impl<'de> de::Visitor<'de> for NamesVisitor {
    type Value = ClassNames;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a file of names, or a list of them")
    }

    fn visit_str<E: de::Error>(self, file: &str) -> Result<ClassNames, E> {
        Ok(ClassNames::File(file.into()))
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut listed: A) -> Result<ClassNames, A::Error> {
        let mut names = Vec::new();
        while let Some(name) = listed.next_element()? {
            names.push(name);
        }
        Ok(ClassNames::Listed(names))
    }
}
