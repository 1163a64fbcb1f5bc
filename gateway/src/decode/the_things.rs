//! Uplinks of The Things Stack v3 over MQTT: the decoded fields under their names, and how the uplink was heard. Other
//! messages (joins, downlinks) are counted and left alone.
//! Format: <https://www.thethingsindustries.com/docs/integrations/data-formats/>.

use crate::config::{MetricUnit, TimeUnit};

use super::Arrival;
use super::radio::Radio;
use super::reject::{Decoded, RejectReason};
use super::scalar::Scalar;
use super::sheet::{Sheet, Units};
use super::source::SourceCache;

#[derive(Debug)]
pub(super) struct TheThingsReader {
    units: Units,
}

impl TheThingsReader {
    pub(super) fn new(units: &[MetricUnit]) -> Result<Self, String> {
        Ok(TheThingsReader { units: Units::new(units)? })
    }

    pub(super) fn read(&self, arrival: &Arrival<'_>, sources: &SourceCache, topic: &str, out: &mut Decoded) {
        let mut sheet = Sheet::new(arrival, sources, topic, Some(&self.units), out);
        let (mut radio, mut has_payload, mut has_fields) = (Radio::default(), false, false);
        // The network server's time is nearer to the uplink than the application server's, which comes first.
        let mut has_network_time = false;
        sheet.walk(&mut |sheet, path, value| match path {
            "end_device_ids.dev_eui" => sheet.set_name(&value),
            "received_at" if !has_network_time => sheet.set_time(&value, TimeUnit::Iso),
            "uplink_message.received_at" => {
                has_network_time = true;
                sheet.set_time(&value, TimeUnit::Iso);
            }
            "uplink_message.frm_payload" => {
                has_payload = matches!(value, Scalar::Text(payload) if !payload.is_empty());
            }
            _ => {
                if let Some(field) = path.strip_prefix("uplink_message.decoded_payload.") {
                    has_fields = true;
                    sheet.value(field, &value);
                } else if let Some(heard) = path.strip_prefix("uplink_message.rx_metadata.") {
                    radio.see(heard, &value);
                }
            }
        });
        if has_payload && !has_fields {
            let place = format_args!("/uplink_message/decoded_payload: nothing is there; has the device a formatter?");
            sheet.reject(RejectReason::Missing, place);
        }
        radio.report("rx_metadata.rssi", "rx_metadata.snr", &mut sheet);
        sheet.finish();
    }
}
