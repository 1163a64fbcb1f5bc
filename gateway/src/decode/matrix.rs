//! Reads a matrix of temperatures, flat or as rows of rows, straight from the parser into one buffer.
//! Knows nothing of frames or feeds.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::reject::RejectReason;

/// Longest side of a thermal picture.
pub const SIDE_MAX: usize = 1024;
/// Most pixels of a thermal picture.
pub(super) const PIXELS_MAX: usize = SIDE_MAX * SIDE_MAX;

/// Degrees Celsius, row-major.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Matrix {
    pub(super) celsius: Vec<f32>,
    /// Length of each row where the payload had rows; none where it was flat.
    pub(super) columns: Option<usize>,
}

/// Why an array is no matrix; `place` is a pointer's tail and words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MatrixFault {
    pub(super) reason: RejectReason,
    pub(super) place: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TemperatureUnit {
    Celsius,
    Kelvin,
    /// Hundredths of a kelvin.
    Centikelvin,
    Fahrenheit,
}

impl TemperatureUnit {
    pub(super) fn parse(unit: &str) -> Option<Self> {
        match unit {
            "Cel" => Some(TemperatureUnit::Celsius),
            "K" => Some(TemperatureUnit::Kelvin),
            "cK" => Some(TemperatureUnit::Centikelvin),
            "[degF]" => Some(TemperatureUnit::Fahrenheit),
            _ => None,
        }
    }

    pub(super) fn celsius(self, value: f64) -> f32 {
        let celsius = match self {
            TemperatureUnit::Celsius => value,
            TemperatureUnit::Kelvin => value - 273.15,
            TemperatureUnit::Centikelvin => value / 100.0 - 273.15,
            TemperatureUnit::Fahrenheit => (value - 32.0) / 1.8,
        };
        celsius as f32
    }
}

/// Reads the array to its end in any case; a fault does not stop the document around it.
pub(super) fn read_matrix<'de, A: SeqAccess<'de>>(
    mut seq: A,
    unit: TemperatureUnit,
) -> Result<Result<Matrix, MatrixFault>, A::Error> {
    let mut build = Build { unit, matrix: Matrix::default(), row: None, n_rows: 0, fault: None };
    while seq.next_element_seed(Element { build: &mut build, is_inside_row: false })?.is_some() {
        if build.fault.is_some() {
            while seq.next_element::<IgnoredAny>()?.is_some() {}
            break;
        }
    }
    Ok(match build.fault {
        Some(fault) => Err(fault),
        None => Ok(build.matrix),
    })
}

struct Build {
    unit: TemperatureUnit,
    matrix: Matrix,
    /// Pixels of the row that is being read.
    row: Option<usize>,
    n_rows: usize,
    fault: Option<MatrixFault>,
}

impl Build {
    fn fail(&mut self, reason: RejectReason, words: fmt::Arguments<'_>) {
        let n_pixels = self.matrix.celsius.len();
        let place = match self.row {
            Some(column) => format!("/{}/{column}: {words}", self.n_rows),
            None if self.n_rows > 0 => format!("/{}: {words}", self.n_rows),
            None => format!("/{n_pixels}: {words}"),
        };
        self.fault.get_or_insert(MatrixFault { reason, place });
    }

    fn pixel(&mut self, value: f64) {
        if self.row.is_none() && self.n_rows > 0 {
            return self.fail(RejectReason::BadShape, format_args!("expected a row, found a number"));
        }
        let too_long = self.row.is_some_and(|column| column >= SIDE_MAX);
        if too_long || self.matrix.celsius.len() >= PIXELS_MAX {
            return self.fail(RejectReason::TooLarge, format_args!("at most {SIDE_MAX}x{SIDE_MAX} pixels are read"));
        }
        let celsius = self.unit.celsius(value);
        if !celsius.is_finite() {
            return self.fail(RejectReason::NotFinite, format_args!("{value:e} is no temperature"));
        }
        self.matrix.celsius.push(celsius);
        if let Some(column) = &mut self.row {
            *column += 1;
        }
    }

    fn end_row(&mut self) {
        let Some(n_pixels) = self.row.take() else { return };
        let columns = *self.matrix.columns.get_or_insert(n_pixels);
        if columns != n_pixels {
            let words = format_args!("expected a row of {columns}, found {n_pixels}");
            return self.fail(RejectReason::BadShape, words);
        }
        self.n_rows += 1;
    }
}

/// One element: a pixel, or a row of them.
struct Element<'a> {
    build: &'a mut Build,
    is_inside_row: bool,
}

impl<'de> DeserializeSeed<'de> for Element<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Element<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a temperature")
    }

    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        self.build.pixel(value as f64);
        Ok(())
    }

    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        self.build.pixel(value as f64);
        Ok(())
    }

    fn visit_f64<E>(self, value: f64) -> Result<(), E> {
        self.build.pixel(value);
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.build.fail(RejectReason::Missing, format_args!("expected a number, found null"));
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        self.build.fail(RejectReason::WrongType, format_args!("expected a number, found a boolean"));
        Ok(())
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        self.build.fail(RejectReason::WrongType, format_args!("expected a number, found text"));
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        self.build.fail(RejectReason::WrongType, format_args!("expected a number, found an object"));
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let build = self.build;
        if self.is_inside_row {
            build.fail(RejectReason::TooDeep, format_args!("expected a number, found a row within a row"));
        } else if build.n_rows == 0 && !build.matrix.celsius.is_empty() {
            build.fail(RejectReason::BadShape, format_args!("expected a number, found a row"));
        } else if build.n_rows >= SIDE_MAX {
            build.fail(RejectReason::TooLarge, format_args!("at most {SIDE_MAX} rows are read"));
        } else {
            build.row = Some(0);
            while build.fault.is_none() && seq.next_element_seed(Element { build, is_inside_row: true })?.is_some() {}
            build.end_row();
        }
        // A parser must be led to the end of what it began, also after a fault.
        if build.fault.is_some() {
            while seq.next_element::<IgnoredAny>()?.is_some() {}
        }
        Ok(())
    }
}
