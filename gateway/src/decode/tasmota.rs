//! Tasmota devices: `SENSOR` and `STATE` messages under their names with Tasmota's units, and whether the device is
//! `online` by its last will (`LWT`). The receive time counts: Tasmota's own has no offset.
//! Format: <https://tasmota.github.io/docs/MQTT/>, <https://tasmota.github.io/docs/JSON-Status-Responses/>.

use super::flat::last_name;
use super::reject::Decoded;
use super::scalar::Scalar;
use super::sheet::Sheet;
use super::source::SourceCache;
use super::{Arrival, number};

#[derive(Debug)]
pub(super) struct TasmotaReader;

impl TasmotaReader {
    pub(super) fn read(&self, arrival: &Arrival<'_>, sources: &SourceCache, topic: &str, out: &mut Decoded) {
        let mut sheet = Sheet::new(arrival, sources, topic, None, out);
        match topic.rsplit('/').next().unwrap_or_default() {
            "LWT" => plain(&mut sheet, "online", arrival.payload),
            // stat/<device>/POWER: ON
            power if power.starts_with("POWER") => plain(&mut sheet, power, arrival.payload),
            _ => objects(&mut sheet),
        }
        sheet.finish();
    }
}

fn plain(sheet: &mut Sheet<'_>, metric: &str, payload: &[u8]) {
    match std::str::from_utf8(payload) {
        Ok(text) => sheet.value(metric, &Scalar::Text(text.trim().into())),
        Err(error) => {
            let (reason, place) = number::not_utf8(payload, error);
            sheet.reject(reason, format_args!("{place}"));
        }
    }
}

fn objects(sheet: &mut Sheet<'_>) {
    let (mut temperature, mut pressure, mut speed) = (None, None, None);
    sheet.walk(&mut |sheet, path, value| {
        // Answers to STATUS wrap what SENSOR and STATE say; their other parts are settings.
        let (path, is_status) = match path.split_once('.') {
            Some(("StatusSNS" | "StatusSTS", path)) => (path, false),
            Some((part, _)) if part.starts_with("Status") => (path, true),
            _ => (path, false),
        };
        match (path, &value) {
            ("TempUnit", Scalar::Text(unit)) => temperature = temperature_unit(unit),
            ("PressureUnit", Scalar::Text(unit)) => pressure = pressure_unit(unit),
            ("SpeedUnit", Scalar::Text(unit)) => speed = speed_unit(unit),
            ("Time", _) => {}
            _ if is_status => sheet.ignore(),
            _ => sheet.value_in(path, &value, unit_of(path)),
        }
    });
    sheet.set_units(|metric| match last_name(metric) {
        "Temperature" | "DewPoint" => temperature,
        "Pressure" | "SeaPressure" => pressure,
        "Speed" => speed,
        _ => None,
    });
}

fn temperature_unit(unit: &str) -> Option<&'static str> {
    match unit {
        "C" => Some("Cel"),
        "F" => Some("[degF]"),
        _ => None,
    }
}

fn pressure_unit(unit: &str) -> Option<&'static str> {
    match unit {
        "hPa" => Some("hPa"),
        "mmHg" => Some("mmHg"),
        _ => None,
    }
}

fn speed_unit(unit: &str) -> Option<&'static str> {
    match unit {
        "km/h" => Some("km/h"),
        "m/s" => Some("m/s"),
        _ => None,
    }
}

/// Units that do not depend on the device's settings.
fn unit_of(path: &str) -> Option<&'static str> {
    Some(match last_name(path) {
        "Humidity" => "%RH",
        "Illuminance" => "lx",
        "CarbonDioxide" | "eCO2" => "ppm",
        "TVOC" => "ppb",
        "Vcc" => "V",
        "Signal" => "dBm",
        "RSSI" => "%",
        "LoadAvg" => "%",
        // Of ENERGY and of meters with the same fields.
        "Voltage" => "V",
        "Current" => "A",
        "Power" => "W",
        "ApparentPower" => "VA",
        "ReactivePower" => "var",
        "Frequency" => "Hz",
        "Total" | "Today" | "Yesterday" if path.starts_with("ENERGY.") => "kWh",
        _ => return None,
    })
}
