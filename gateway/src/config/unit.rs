//! The units that readings can carry. Small on purpose: a typing error must not become a unit that no rule knows.

/// SenML units (RFC 8428 section 12.1), the secondary units of RFC 8798, and what districts' sensors send besides.
pub const UNITS: &[&str] = &[
    // RFC 8428
    "m", "kg", "g", "s", "A", "K", "cd", "mol", "Hz", "rad", "sr", "N", "Pa", "J", "W", "C", "V", "F", "Ohm", "S", "Wb",
    "T", "H", "Cel", "lm", "lx", "Bq", "Gy", "Sv", "kat", "m2", "m3", "l", "m/s", "m/s2", "m3/s", "l/s", "W/m2",
    "cd/m2", "bit", "bit/s", "lat", "lon", "pH", "dB", "dBW", "Bspl", "count", "/", "%", "%RH", "%EL", "EL", "1/s",
    "1/min", "beat/min", "beats", "S/m", // later in the same registry
    "B", "VA", "VAs", "var", "vars", "J/m", "kg/m3", "deg", "NTU", // RFC 8798
    "ms", "min", "h", "MHz", "kW", "kVA", "kvar", "Ah", "Wh", "kWh", "varh", "kvarh", "kVAh", "Wh/km", "KiB", "GB",
    "Mbit/s", "B/s", "MB/s", "mV", "mA", "dBm", "ug/m3", "mm/h", "m/h", "ppm", "/100", "/1000", "hPa", "mm", "cm",
    "km", "km/h", // Ours: gas, water, weather, thermal.
    "%LEL", "%VOL", "ppb", "mg/m3", "mg/l", "ug/l", "uS/cm", "kPa", "MPa", "bar", "mbar", "mmHg", "m3/h", "l/min",
    "l/h", "d", "ug", "mg", "t", "kN", "us", "mm/s", "g/l", "klx", "kOhm", "uA", "uV", "kV", "Cel/min", "[degF]", "cK",
    "[psi]",
];

/// The table's own text of a unit, so that nobody keeps text of a payload.
pub fn known(unit: &str) -> Option<&'static str> {
    UNITS.iter().copied().find(|known| *known == unit)
}

/// How people and devices write units otherwise: by the degree sign, or as UCUM has them.
const ALIASES: &[(&str, &str)] = &[
    ("°C", "Cel"),
    ("℃", "Cel"),
    ("C", "Cel"),
    ("degC", "Cel"),
    ("celsius", "Cel"),
    ("°F", "[degF]"),
    ("℉", "[degF]"),
    ("F", "[degF]"),
    ("degF", "[degF]"),
    ("fahrenheit", "[degF]"),
    ("µg/m3", "ug/m3"),
    ("μg/m3", "ug/m3"),
    ("µg/m³", "ug/m3"),
    ("μg/m³", "ug/m3"),
    ("mg/m³", "mg/m3"),
    ("m³", "m3"),
    ("m³/h", "m3/h"),
    ("m²", "m2"),
    ("[ppm]", "ppm"),
    ("[ppb]", "ppb"),
    ("Ω", "Ohm"),
    ("ohm", "Ohm"),
    ("mm[Hg]", "mmHg"),
    ("°", "deg"),
    ("L", "l"),
    ("L/s", "l/s"),
    ("L/min", "l/min"),
    ("L/h", "l/h"),
    ("W/m²", "W/m2"),
    ("m/s²", "m/s2"),
    ("µS/cm", "uS/cm"),
    ("μS/cm", "uS/cm"),
    ("psi", "[psi]"),
];

/// The table's unit that a text means; none where it means none of them.
pub fn meant(text: &str) -> Option<&'static str> {
    // C and F are coulomb and farad there, and nobody sends those.
    let alias = ALIASES.iter().find(|(alias, _)| *alias == text).map(|(_, unit)| *unit);
    alias.or_else(|| known(text))
}

/// From one unit to another of the same quantity.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Conversion {
    from: Scale,
    to: Scale,
}

/// Where a unit has the zero of its quantity's first unit, and how many of it make one of that.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Scale {
    zero: f64,
    per: f64,
}

/// Units of one quantity. The first is the largest, so that the factors are whole where they can be.
#[rustfmt::skip]
const QUANTITIES: &[&[(&str, f64, f64)]] = &[
    &[("Cel", 0.0, 1.0), ("K", 273.15, 1.0), ("cK", 27_315.0, 100.0), ("[degF]", 32.0, 1.8)],
    // 1 mmHg is 133.322387415 Pa, 1 [psi] 6894.757293168 Pa (NIST SP 811, appendix B.8).
    &[("MPa", 0.0, 1.0), ("bar", 0.0, 10.0), ("kPa", 0.0, 1e3), ("hPa", 0.0, 1e4), ("mbar", 0.0, 1e4), ("Pa", 0.0, 1e6),
      ("mmHg", 0.0, 1e6 / 133.322387415), ("[psi]", 0.0, 1e6 / 6894.757293168)],
    &[("km", 0.0, 1.0), ("m", 0.0, 1e3), ("cm", 0.0, 1e5), ("mm", 0.0, 1e6)],
    &[("m/s", 0.0, 1.0), ("km/h", 0.0, 3.6), ("mm/s", 0.0, 1e3), ("m/h", 0.0, 3600.0), ("mm/h", 0.0, 3.6e6)],
    &[("m3/s", 0.0, 1.0), ("l/s", 0.0, 1e3), ("m3/h", 0.0, 3600.0), ("l/min", 0.0, 6e4), ("l/h", 0.0, 3.6e6)],
    &[("m3", 0.0, 1.0), ("l", 0.0, 1e3)],
    &[("t", 0.0, 1.0), ("kg", 0.0, 1e3), ("g", 0.0, 1e6), ("mg", 0.0, 1e9), ("ug", 0.0, 1e12)],
    &[("kg/m3", 0.0, 1.0), ("g/l", 0.0, 1.0), ("mg/l", 0.0, 1e3), ("mg/m3", 0.0, 1e6), ("ug/l", 0.0, 1e6), ("ug/m3", 0.0, 1e9)],
    &[("/", 0.0, 1.0), ("%", 0.0, 100.0), ("/100", 0.0, 100.0), ("%VOL", 0.0, 100.0), ("/1000", 0.0, 1e3), ("ppm", 0.0, 1e6), ("ppb", 0.0, 1e9)],
    &[("kV", 0.0, 1.0), ("V", 0.0, 1e3), ("mV", 0.0, 1e6), ("uV", 0.0, 1e9)],
    &[("A", 0.0, 1.0), ("mA", 0.0, 1e3), ("uA", 0.0, 1e6)],
    &[("kW", 0.0, 1.0), ("W", 0.0, 1e3)],
    &[("kVA", 0.0, 1.0), ("VA", 0.0, 1e3)],
    &[("kvar", 0.0, 1.0), ("var", 0.0, 1e3)],
    &[("kWh", 0.0, 1.0), ("Wh", 0.0, 1e3), ("J", 0.0, 3.6e6)],
    &[("MHz", 0.0, 1.0), ("Hz", 0.0, 1e6)],
    &[("d", 0.0, 1.0), ("h", 0.0, 24.0), ("min", 0.0, 1440.0), ("s", 0.0, 86_400.0), ("ms", 0.0, 8.64e7), ("us", 0.0, 8.64e10)],
    &[("klx", 0.0, 1.0), ("lx", 0.0, 1e3)],
    &[("kOhm", 0.0, 1.0), ("Ohm", 0.0, 1e3)],
    &[("S/m", 0.0, 1.0), ("uS/cm", 0.0, 1e4)],
    &[("rad", 0.0, 1.0), ("deg", 0.0, 180.0 / std::f64::consts::PI)],
    &[("kN", 0.0, 1.0), ("N", 0.0, 1e3)],
    &[("GB", 0.0, 1.0), ("KiB", 0.0, 976_562.5), ("B", 0.0, 1e9)],
    &[("Mbit/s", 0.0, 1.0), ("bit/s", 0.0, 1e6)],
    &[("MB/s", 0.0, 1.0), ("B/s", 0.0, 1e6)],
];

impl Conversion {
    /// None where the two are not of one quantity.
    pub fn new(from: &str, to: &str) -> Option<Self> {
        let units = QUANTITIES.iter().find(|units| units.iter().any(|(unit, ..)| *unit == from))?;
        let scale = |unit: &str| units.iter().find(|(known, ..)| *known == unit).map(|(_, zero, per)| (*zero, *per));
        let ((zero, per), (to_zero, to_per)) = (scale(from)?, scale(to)?);
        Some(Conversion { from: Scale { zero, per }, to: Scale { zero: to_zero, per: to_per } })
    }

    pub fn apply(&self, value: f64) -> f64 {
        (value - self.from.zero) * self.to.per / self.from.per + self.to.zero
    }
}

/// The units that a unit can be converted to, itself among them.
pub fn convertible(unit: &str) -> Vec<&'static str> {
    let of_one = QUANTITIES.iter().find(|units| units.iter().any(|(known, ..)| *known == unit));
    of_one.map_or_else(Vec::new, |units| units.iter().map(|(unit, ..)| *unit).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit_is_listed_once() {
        for (i, unit) in UNITS.iter().enumerate() {
            assert!(!UNITS[..i].contains(unit), "{unit} is listed twice");
        }
    }

    #[test]
    fn every_alias_means_a_unit_of_the_table() {
        for (alias, unit) in ALIASES {
            assert_eq!(known(unit), Some(*unit), "{alias}");
        }
        assert_eq!((meant("°C"), meant("bar"), meant("furlong")), (Some("Cel"), Some("bar"), None));
    }

    #[test]
    fn units_that_convert_are_of_the_table_and_of_one_quantity() {
        let mut seen = Vec::new();
        for (unit, ..) in QUANTITIES.iter().flat_map(|units| units.iter()) {
            assert_eq!(known(unit), Some(*unit));
            assert!(!seen.contains(unit), "{unit} is of two quantities");
            seen.push(*unit);
        }
    }

    #[test]
    fn values_are_converted_as_the_tables_of_units_say() {
        for (value, from, to, expected) in [
            (212.0, "[degF]", "Cel", 100.0),
            (-40.0, "[degF]", "Cel", -40.0),
            (98.6, "[degF]", "K", 310.15),
            (0.0, "K", "Cel", -273.15),
            (29_815.0, "cK", "Cel", 25.0),
            (1.0, "[psi]", "kPa", 6.894757293168),
            (760.0, "mmHg", "hPa", 1013.250144354),
            (2.75, "bar", "kPa", 275.0),
            (1013.25, "hPa", "Pa", 101_325.0),
            (36.0, "km/h", "m/s", 10.0),
            (450.0, "mm", "m", 0.45),
            (35.0, "ug/m3", "mg/m3", 0.035),
            (1.5, "kWh", "J", 5_400_000.0),
            (90.0, "l/min", "m3/h", 5.4),
            (1.25, "%VOL", "ppm", 12_500.0),
            (180.0, "deg", "rad", std::f64::consts::PI),
            (1.0, "GB", "KiB", 976_562.5),
            (2.0, "d", "min", 2_880.0),
        ] {
            let conversion = Conversion::new(from, to).unwrap();
            let found = conversion.apply(value);
            assert!(
                (found - expected).abs() <= expected.abs() * 1e-9,
                "{value} {from} are {found} {to}, not {expected}"
            );
            let back = Conversion::new(to, from).unwrap().apply(found);
            assert!((back - value).abs() <= value.abs().max(300.0) * 1e-12, "{back} {from}, not {value}");
        }
        assert_eq!(Conversion::new("Cel", "hPa"), None);
        assert_eq!(Conversion::new("%LEL", "%VOL"), None);
    }

    #[test]
    fn units_are_told_apart_by_case() {
        assert_eq!(known("%LEL"), Some("%LEL"));
        assert_eq!(known("%lel"), None);
    }
}
