//! OwnTracks messages over MQTT: `_type` `location` becomes a position, other types are counted and left alone.
//! Format: <https://owntracks.org/booklet/tech/json/>.

use super::json::{Encoding, Mapped, read_time};
use super::pointer::{PointerSet, Slot, Want};
use super::reject::{Decoded, RejectReason};
use super::{Arrival, OffGlobe, position};
use crate::config::TimeUnit;

#[derive(Debug)]
pub(super) struct OwntracksReader {
    pointers: PointerSet,
    is_location: usize,
    time: Mapped,
    lon: Mapped,
    lat: Mapped,
    accuracy: Mapped,
}

impl OwntracksReader {
    pub(super) fn new() -> Result<Self, String> {
        let mut pointers = PointerSet::new();
        Ok(OwntracksReader {
            is_location: pointers.add("/_type", Want::Equals("location"))?,
            time: Mapped::new(&mut pointers, "/tst", Want::Time(TimeUnit::S), false)?,
            lon: Mapped::new(&mut pointers, "/lon", Want::Number, false)?,
            lat: Mapped::new(&mut pointers, "/lat", Want::Number, false)?,
            accuracy: Mapped::new(&mut pointers, "/acc", Want::Number, true)?,
            pointers,
        })
    }

    pub(super) fn read(&self, arrival: &Arrival<'_>, out: &mut Decoded) {
        self.pointers.read(Encoding::Json, arrival, out, |slots, out| self.observe(arrival, slots, out));
    }

    fn observe(&self, arrival: &Arrival<'_>, slots: &[Slot], out: &mut Decoded) {
        match &slots[self.is_location] {
            Slot::Equals(true) => {}
            Slot::Equals(false) => {
                out.n_ignored += 1;
                return;
            }
            Slot::Other(found) => {
                let place = format_args!("/_type: expected text, found {found}");
                return out.reject(arrival, RejectReason::WrongType, place);
            }
            _ => return out.reject(arrival, RejectReason::Missing, format_args!("/_type: nothing is there")),
        }
        let Some(at_ms) = read_time(Some(&self.time), arrival, slots, out) else { return };
        let (lon, lat) = (self.lon.number(arrival, slots, out), self.lat.number(arrival, slots, out));
        let (Some(lon), Some(lat)) = (lon, lat) else { return };
        // iOS says -1 where it does not know the accuracy.
        let accuracy_m = match &slots[self.accuracy.slot] {
            Slot::Number(accuracy) => Some(*accuracy).filter(|accuracy| *accuracy >= 0.0),
            Slot::Absent | Slot::Null => None,
            _ => self.accuracy.number(arrival, slots, out),
        };
        match position(lon, lat, accuracy_m) {
            Ok(fact) => out.observations.push(arrival.observation(at_ms, fact)),
            Err(OffGlobe::Lon(cause)) => out.reject(arrival, RejectReason::OutOfRange, format_args!("/lon: {cause}")),
            Err(OffGlobe::Lat(cause)) => out.reject(arrival, RejectReason::OutOfRange, format_args!("/lat: {cause}")),
        }
    }
}
