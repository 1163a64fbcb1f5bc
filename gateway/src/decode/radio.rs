//! How a LoRaWAN uplink was heard: of several gateways the one that heard it best counts.

use super::scalar::Scalar;
use super::sheet::Sheet;

#[derive(Debug, Default)]
pub(super) struct Radio {
    gateway: usize,
    heard: Heard,
    best: Heard,
}

#[derive(Debug, Default, Clone, Copy)]
struct Heard {
    rssi_dbm: Option<f64>,
    snr_db: Option<f64>,
}

impl Radio {
    /// A value at `<gateway>.<key>`, in the order of the payload.
    pub(super) fn see(&mut self, path: &str, value: &Scalar<'_>) {
        let (Some((gateway, key)), Scalar::Number(number)) = (path.split_once('.'), value) else { return };
        let Ok(gateway) = gateway.parse() else { return };
        if gateway != self.gateway {
            self.settle();
            self.gateway = gateway;
        }
        match key {
            "rssi" => self.heard.rssi_dbm = Some(*number),
            "snr" | "loRaSNR" => self.heard.snr_db = Some(*number),
            _ => {}
        }
    }

    fn settle(&mut self) {
        let heard = std::mem::take(&mut self.heard);
        if heard.rssi_dbm.is_some() && heard.rssi_dbm > self.best.rssi_dbm {
            self.best = heard;
        }
    }

    /// Readings of the payload's own names.
    pub(super) fn report(mut self, rssi: &str, snr: &str, sheet: &mut Sheet<'_>) {
        self.settle();
        if let Some(dbm) = self.best.rssi_dbm {
            sheet.value_in(rssi, &Scalar::Number(dbm), Some("dBm"));
        }
        if let Some(db) = self.best.snr_db {
            sheet.value_in(snr, &Scalar::Number(db), Some("dB"));
        }
    }
}
