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
];

/// The table's unit that a text means; none where it means none of them.
pub fn meant(text: &str) -> Option<&'static str> {
    // C and F are coulomb and farad there, and nobody sends those.
    let alias = ALIASES.iter().find(|(alias, _)| *alias == text).map(|(_, unit)| *unit);
    alias.or_else(|| known(text))
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
    fn units_are_told_apart_by_case() {
        assert_eq!(known("%LEL"), Some("%LEL"));
        assert_eq!(known("%lel"), None);
    }
}
