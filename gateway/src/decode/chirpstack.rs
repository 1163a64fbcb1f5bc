//! ChirpStack v4 events over MQTT, as JSON: the decoded fields of an uplink (`object`) under their names, how it was
//! heard, and battery and margin of `status` events. Other events are counted and left alone.
//! Format: <https://www.chirpstack.io/docs/chirpstack/integrations/events.html>.

use crate::config::{MetricUnit, TimeUnit};

use super::Arrival;
use super::radio::Radio;
use super::reject::{Decoded, RejectReason};
use super::scalar::Scalar;
use super::sheet::{Sheet, Units};
use super::source::SourceCache;

#[derive(Debug)]
pub(super) struct ChirpstackReader {
    units: Units,
}

impl ChirpstackReader {
    pub(super) fn new(units: &[MetricUnit]) -> Result<Self, String> {
        Ok(ChirpstackReader { units: Units::new(units)? })
    }

    pub(super) fn read(&self, arrival: &Arrival<'_>, sources: &SourceCache, topic: &str, out: &mut Decoded) {
        let mut sheet = Sheet::new(arrival, sources, topic, Some(&self.units), out);
        let (mut radio, mut has_data, mut has_object) = (Radio::default(), false, false);
        let (mut battery, mut is_battery_unknown) = (None, false);
        sheet.walk(&mut |sheet, path, value| {
            if let Some(field) = path.strip_prefix("object.") {
                has_object = true;
                return sheet.value(field, &value);
            }
            if let Some(heard) = path.strip_prefix("rxInfo.") {
                return radio.see(heard, &value);
            }
            match (path, value) {
                ("deviceInfo.devEui", value) => sheet.set_name(&value),
                ("time", value) => sheet.set_time(&value, TimeUnit::Iso),
                ("data", Scalar::Text(data)) => has_data = !data.is_empty(),
                ("margin", value) => sheet.value_in("margin", &value, Some("dB")),
                ("batteryLevel", Scalar::Number(level)) => battery = Some(level),
                // It says 0 then.
                ("batteryLevelUnavailable" | "externalPowerSource", Scalar::Bool(true)) => is_battery_unknown = true,
                _ => {}
            }
        });
        if let Some(level) = battery.filter(|_| !is_battery_unknown) {
            sheet.value_in("batteryLevel", &Scalar::Number(level), Some("%"));
        }
        if has_data && !has_object {
            let place = format_args!("/object: nothing is there; does the device profile decode (codec)?");
            sheet.reject(RejectReason::Missing, place);
        }
        radio.report("rxInfo.rssi", "rxInfo.snr", &mut sheet);
        sheet.finish();
    }
}
