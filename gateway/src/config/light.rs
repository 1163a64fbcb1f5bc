//! Physical lights that show a centre's worst lamp.

use serde::Deserialize;

use super::{Span, defaults};
use crate::nouns::Lamp;

/// In a topic: the colour that the light is to show.
pub const LIGHT_WORD: &str = "{colour}";

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Light {
    pub id: String,
    /// It shows the worst lamp of the tickets of this centre and of those beneath; the one on top where absent.
    pub centre: Option<String>,
    pub broker: String,
    /// Where it is told; may have [`LIGHT_WORD`].
    pub topic: String,
    #[serde(default)]
    pub payload: Colours,
    pub confirm: Confirm,
}

/// How a light says what it shows.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Confirm {
    pub topic: String,
    #[serde(default)]
    pub says: Colours,
    /// It is told again after this time, ever more slowly.
    #[serde(default = "defaults::light_within")]
    pub within: Span,
}

/// A payload for each colour; its name where absent.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Colours {
    pub off: String,
    pub green: String,
    pub yellow: String,
    pub red: String,
}

impl Default for Colours {
    fn default() -> Self {
        let [off, green, yellow, red] =
            [Lamp::Off, Lamp::Green, Lamp::Yellow, Lamp::Red].map(|lamp| lamp.as_str().to_owned());
        Colours { off, green, yellow, red }
    }
}

impl Colours {
    pub fn of(&self, lamp: Lamp) -> &str {
        match lamp {
            Lamp::Off => &self.off,
            Lamp::Green => &self.green,
            Lamp::Yellow => &self.yellow,
            Lamp::Red => &self.red,
        }
    }
}
