//! Shelly devices. First generation: a topic per value, `shellies/<device>/relay/0/power`. Later ones: components as
//! JSON, in `NotifyStatus` and `NotifyFullStatus` (`<device>/events/rpc`), one by one (`<device>/status/switch:0`), or all
//! of them (the answer of `Shelly.GetStatus`). Values have their device's names with its units.
//! Format: <https://shelly-api-docs.shelly.cloud/>.

use crate::config::TimeUnit;

use super::flat::last_name;
use super::reject::Decoded;
use super::scalar::Scalar;
use super::sheet::Sheet;
use super::source::SourceCache;
use super::{Arrival, number};

#[derive(Debug)]
pub(super) struct ShellyReader;

impl ShellyReader {
    pub(super) fn read(&self, arrival: &Arrival<'_>, sources: &SourceCache, topic: &str, out: &mut Decoded) {
        let mut sheet = Sheet::new(arrival, sources, topic, None, out);
        if let Some(path) = topic.strip_prefix("shellies/") {
            match path.split_once('/') {
                Some((_, path)) => first_generation(&mut sheet, path, arrival.payload),
                // shellies/announce
                None => sheet.ignore(),
            }
        } else if topic.ends_with("/online") {
            plain(&mut sheet, "online", arrival.payload);
        } else {
            let component = topic.split_once("/status/").map(|(_, component)| component);
            components(&mut sheet, component);
        }
        sheet.finish();
    }
}

fn first_generation(sheet: &mut Sheet<'_>, path: &str, payload: &[u8]) {
    match payload.trim_ascii_start().first() {
        // Announcements, settings, events of buttons.
        Some(b'{' | b'[') => sheet.ignore(),
        _ => plain(sheet, &path.replace('/', "."), payload),
    }
}

/// A number, a word for on and off, or other text, which is no reading.
fn plain(sheet: &mut Sheet<'_>, metric: &str, payload: &[u8]) {
    // Words for no number are left to the number's reader, which says so.
    let is_no_number = |text: &str| ["nan", "inf", "infinity"].iter().any(|word| word.eq_ignore_ascii_case(text));
    match std::str::from_utf8(payload).map(str::trim) {
        Ok(text) if text.starts_with(|c: char| c.is_ascii_alphabetic()) && !is_no_number(text) => {
            sheet.value(metric, &Scalar::Text(text.into()));
        }
        _ => match number::parse(payload) {
            Ok(value) => sheet.value_in(metric, &Scalar::Number(value), unit_of_topic(metric)),
            Err((reason, place)) => sheet.reject(reason, format_args!("{place}")),
        },
    }
}

fn components(sheet: &mut Sheet<'_>, component: Option<&str>) {
    let mut is_status = true;
    let mut name = String::new();
    sheet.walk(&mut |sheet, path, value| {
        let path = path.strip_prefix("params.").or(path.strip_prefix("result.")).unwrap_or(path);
        match (path, &value) {
            ("method", Scalar::Text(method)) => {
                is_status = ["NotifyStatus", "NotifyFullStatus"].contains(&&**method);
            }
            ("ts" | "sys.unixtime", _) => sheet.set_time(&value, TimeUnit::S),
            ("id" | "src" | "dst", _) => {}
            // The device's own counters, and numbers that name things and times.
            _ if path.starts_with("sys.") || component == Some("sys") => sheet.ignore(),
            _ if last_name(path) == "id" || path.ends_with("_ts") => sheet.ignore(),
            _ => match component {
                None => sheet.value_in(path, &value, unit_of(path)),
                Some(component) => {
                    name.clear();
                    name.extend([component, ".", path]);
                    sheet.value_in(&name, &value, unit_of(path));
                }
            },
        }
    });
    // An event, or a command on its way to the device: what it says is no state.
    if !is_status {
        sheet.discard();
    }
}

fn unit_of(path: &str) -> Option<&'static str> {
    Some(match last_name(path) {
        "tC" | "current_C" | "target_C" => "Cel",
        "tF" | "current_F" | "target_F" => "[degF]",
        "rh" => "%RH",
        "voltage" | "V" => "V",
        "current" => "A",
        "apower" | "act_power" => "W",
        "aprt_power" => "VA",
        "freq" => "Hz",
        "lux" => "lx",
        "rssi" => "dBm",
        "battery" | "percent" => "%",
        "total" if path.contains("aenergy.") => "Wh",
        "total_act_energy" | "total_act_ret_energy" | "total_act" | "total_act_ret" => "Wh",
        _ => return None,
    })
}

/// First generation. `relay.0.energy` is in watt-minutes, for which there is no unit.
fn unit_of_topic(path: &str) -> Option<&'static str> {
    Some(match last_name(path) {
        "temperature" => "Cel",
        "temperature_f" => "[degF]",
        "humidity" => "%RH",
        "battery" => "%",
        "lux" => "lx",
        "power" => "W",
        "reactive_power" => "var",
        "voltage" => "V",
        "current" => "A",
        "total" | "total_returned" => "Wh",
        _ => return None,
    })
}
