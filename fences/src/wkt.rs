//! Well-known text (OGC 06-103r4) to fences: one geometry a line, which may follow its id, and its name, and tabs.
//!
//! ```text
//! # id<TAB>name<TAB>geometry; empty lines and lines that begin with # are passed over
//! reservoir<TAB>水库<TAB>POLYGON ((106.04 29.84, 106.08 29.84, 106.08 29.88, 106.04 29.84))
//! pier<TAB>POINT (106.05 29.85) RADIUS 200
//! road<TAB>LINESTRING (106.04 29.84, 106.08 29.88) WIDTH 30
//! gate<TAB>LINESTRING (106.04 29.84, 106.04 29.85)
//! field<TAB>BOX (106.04 29.84, 106.08 29.88)
//! ```
//!
//! `SRID=4326;` before a geometry is passed over, as are third and fourth coordinates. `RADIUS` and `WIDTH`, in metres,
//! are this program's own: well-known text knows neither circles nor corridors. `BOX` has the south-western corner and the
//! north-eastern one, as PostGIS writes its boxes. A `LINESTRING` without `WIDTH` is a line to be crossed.

use crate::coordinates::Coordinates;
use crate::geojson::{Drawn, Label, Parsed, ProblemKind, Reader};
use crate::shape::Draft;

/// Words and numbers of one line.
const POSITIONS_MAX: usize = 100_000;

/// Reads what [`crate::wkt`] says. Never panics, never fails as a whole because of one line; a problem names the line.
pub fn parse(text: &str, coordinates: Coordinates) -> Parsed {
    let mut reader = Reader::new(coordinates);
    if reader.is_too_long(text) {
        return reader.finish();
    }
    for (index, line) in text.lines().enumerate() {
        let line = line.trim_start_matches('\u{feff}').trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let mut fields = line.rsplitn(2, '\t');
        let geometry = fields.next().unwrap_or_default().trim();
        let mut names =
            fields.next().unwrap_or_default().splitn(2, '\t').map(str::trim).filter(|name| !name.is_empty());
        let (id, name) = (names.next(), names.next());
        let label = Label {
            line: Some(index + 1),
            id: id.map(str::to_owned),
            name: name.map(str::to_owned),
            ..Label::default()
        };
        reader.read_drawn(label, || {
            Words::new(geometry).geometry().map_err(|reason| (None, ProblemKind::NotWkt { reason }))
        });
    }
    reader.finish()
}

struct Words<'a> {
    rest: &'a str,
    n_positions: usize,
}

impl<'a> Words<'a> {
    fn new(text: &'a str) -> Words<'a> {
        Words { rest: text, n_positions: 0 }
    }

    fn geometry(&mut self) -> Result<Drawn, String> {
        let mut kind = self.word().to_ascii_uppercase();
        if kind == "SRID" {
            let at = self.rest.find(';').ok_or("SRID= wants a number and ;")?;
            self.rest = &self.rest[at + 1..];
            kind = self.word().to_ascii_uppercase();
        }
        let dimensions = self.rest.trim_start();
        for tag in ["ZM", "Z", "M"] {
            if dimensions.get(..tag.len()).is_some_and(|word| word.eq_ignore_ascii_case(tag)) {
                self.rest = &dimensions[tag.len()..];
                break;
            }
        }
        let drawn = match kind.as_str() {
            "POLYGON" => Drawn::Areas(Draft { polygons: vec![self.polygon()?], is_multi: false, is_cut: true }),
            "MULTIPOLYGON" => {
                Drawn::Areas(Draft { polygons: self.list(Words::polygon)?, is_multi: true, is_cut: true })
            }
            "POINT" => {
                let center = *self.ring()?.first().ok_or("POINT wants a position")?;
                Drawn::Circle { center, radius_m: self.measure("RADIUS")? }
            }
            "BOX" => {
                let corners = self.ring()?.try_into();
                let corners = corners.map_err(|all: Vec<_>| format!("BOX wants two corners and has {}", all.len()))?;
                Drawn::Rectangle { corners }
            }
            "LINESTRING" => Drawn::Path { positions: self.ring()?, width_m: self.measure("WIDTH")? },
            "" => return Err("there is no geometry".to_owned()),
            _ => return Err(format!("{:?} is not a kind of fence", kind.chars().take(30).collect::<String>())),
        };
        match self.rest.trim() {
            "" | ";" => Ok(drawn),
            rest => Err(format!("after the geometry stands {:?}", rest.chars().take(30).collect::<String>())),
        }
    }

    fn polygon(&mut self) -> Result<Vec<Vec<[f64; 2]>>, String> {
        self.list(Words::ring)
    }

    fn ring(&mut self) -> Result<Vec<[f64; 2]>, String> {
        self.list(Words::position)
    }

    fn list<T>(&mut self, mut one: impl FnMut(&mut Self) -> Result<T, String>) -> Result<Vec<T>, String> {
        self.expect('(')?;
        let mut all = Vec::new();
        loop {
            all.push(one(self)?);
            if !self.take(',') {
                self.expect(')')?;
                return Ok(all);
            }
        }
    }

    fn position(&mut self) -> Result<[f64; 2], String> {
        self.n_positions += 1;
        if self.n_positions > POSITIONS_MAX {
            return Err(format!("it has more than {POSITIONS_MAX} positions"));
        }
        let position = [self.number()?, self.number()?];
        while self.rest.trim_start().starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c)) {
            self.number()?;
        }
        Ok(position)
    }

    fn number(&mut self) -> Result<f64, String> {
        self.rest = self.rest.trim_start();
        let end = self.rest.find(|c: char| c.is_whitespace() || ",();".contains(c)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        match word.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(number),
            _ => Err(format!("{:?} is not a number", word.chars().take(30).collect::<String>())),
        }
    }

    fn measure(&mut self, name: &str) -> Result<Option<f64>, String> {
        let rest = self.rest.trim_start();
        if !rest.get(..name.len()).is_some_and(|word| word.eq_ignore_ascii_case(name)) {
            return Ok(None);
        }
        self.rest = &rest[name.len()..];
        self.number().map(Some)
    }

    fn word(&mut self) -> &'a str {
        self.rest = self.rest.trim_start();
        let end = self.rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        word
    }

    fn take(&mut self, wanted: char) -> bool {
        let rest = self.rest.trim_start().strip_prefix(wanted);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn expect(&mut self, wanted: char) -> Result<(), String> {
        if self.take(wanted) {
            return Ok(());
        }
        let found: String = self.rest.trim_start().chars().take(20).collect();
        Err(if found.is_empty() {
            format!("it ends where {wanted:?} should be")
        } else {
            format!("{wanted:?} should be before {found:?}")
        })
    }
}
