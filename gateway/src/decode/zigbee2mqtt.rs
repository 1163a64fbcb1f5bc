//! Zigbee devices by Zigbee2MQTT: each value under its name, booleans and words for on and off as 1 and 0, and whether
//! the device is `online` by its availability topic. Messages of the bridge and commands are counted and left alone.
//! Format: <https://www.zigbee2mqtt.io/guide/usage/mqtt_topics_and_messages.html>.

use crate::config::{MetricUnit, TimeUnit};

use super::Arrival;
use super::reject::Decoded;
use super::scalar::Scalar;
use super::sheet::{Sheet, Units};
use super::source::SourceCache;

#[derive(Debug)]
pub(super) struct Zigbee2mqttReader {
    units: Units,
}

impl Zigbee2mqttReader {
    pub(super) fn new(units: &[MetricUnit]) -> Result<Self, String> {
        Ok(Zigbee2mqttReader { units: Units::new(units)? })
    }

    pub(super) fn read(&self, arrival: &Arrival<'_>, sources: &SourceCache, topic: &str, out: &mut Decoded) {
        let last = topic.rsplit('/').next().unwrap_or_default();
        if topic.split('/').nth(1) == Some("bridge") || ["set", "get"].contains(&last) {
            out.n_ignored += 1;
            return;
        }
        let mut sheet = Sheet::new(arrival, sources, topic, Some(&self.units), out);
        if last == "availability" {
            availability(&mut sheet, arrival.payload);
            return sheet.finish();
        }
        sheet.walk(&mut |sheet, path, value| match path {
            "last_seen" => match value {
                Scalar::Number(_) => sheet.set_time(&value, TimeUnit::Ms),
                _ => sheet.set_time(&value, TimeUnit::Iso),
            },
            // What the device is and which firmware waits for it: none of it is measured.
            _ if path.starts_with("device.") || path.starts_with("update.") => sheet.ignore(),
            _ => sheet.value(path, &value),
        });
        sheet.finish();
    }
}

/// `{"state":"online"}`, or `online` as it was before 1.17.
fn availability(sheet: &mut Sheet<'_>, payload: &[u8]) {
    match std::str::from_utf8(payload).map(str::trim) {
        Ok(word @ ("online" | "offline")) => sheet.value("online", &Scalar::Text(word.into())),
        _ => sheet.walk(&mut |sheet, path, value| match path {
            "state" => sheet.value("online", &value),
            _ => sheet.ignore(),
        }),
    }
}
