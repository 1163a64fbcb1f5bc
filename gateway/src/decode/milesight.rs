//! Uplinks of Milesight LoRaWAN gateways over MQTT, as JSON: what the gateway's payload codec decoded under its names,
//! beside the data (or within `object`), and how the uplink was heard. The fields are those of Milesight's own decoders:
//! <https://github.com/Milesight-IoT/SensorDecoders>.

use crate::config::{MetricUnit, TimeUnit};

use super::Arrival;
use super::radio::Radio;
use super::reject::{Decoded, RejectReason};
use super::scalar::Scalar;
use super::sheet::{Sheet, Units};
use super::source::SourceCache;

/// Numbers of the uplink that are none of the device's.
const ENVELOPE: &[&str] = &["applicationID", "fCnt", "fPort", "adr", "cellularIP", "gatewayTime", "dr", "confirmed"];

#[derive(Debug)]
pub(super) struct MilesightReader {
    units: Units,
}

impl MilesightReader {
    pub(super) fn new(units: &[MetricUnit]) -> Result<Self, String> {
        Ok(MilesightReader { units: Units::new(units)? })
    }

    pub(super) fn read(&self, arrival: &Arrival<'_>, sources: &SourceCache, topic: &str, out: &mut Decoded) {
        let mut sheet = Sheet::new(arrival, sources, topic, Some(&self.units), out);
        let (mut radio, mut has_data) = (Radio::default(), false);
        sheet.walk(&mut |sheet, path, value| match path {
            "devEUI" => sheet.set_name(&value),
            "time" => sheet.set_time(&value, TimeUnit::Iso),
            "data" => has_data = matches!(value, Scalar::Text(data) if !data.is_empty()),
            "applicationName" | "deviceName" => {}
            _ if ENVELOPE.contains(&path) || path.starts_with("txInfo.") => {}
            _ => match path.strip_prefix("rxInfo.") {
                Some(heard) => radio.see(heard, &value),
                None => sheet.value(path.strip_prefix("object.").unwrap_or(path), &value),
            },
        });
        if has_data && sheet.n_readings() == 0 {
            let place = format_args!("/data: nothing was decoded; has the device a payload codec?");
            sheet.reject(RejectReason::Missing, place);
        }
        radio.report("rxInfo.rssi", "rxInfo.loRaSNR", &mut sheet);
        sheet.finish();
    }
}
