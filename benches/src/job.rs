//! The job: a thousand devices that tell a temperature and where they are. Nine tenths of each device's messages are
//! calm; for one tenth in a row it is too hot, and for another tenth in a row it is inside the fence.

use std::fmt::Write;

pub const DEVICES: u64 = 1_000;

/// The fence of `benches/run` lies about this point.
const CENTRE: (f64, f64) = (106.05, 29.84);

/// What a message of the job shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown {
    pub hot: bool,
    pub inside: bool,
}

/// Every device's excursions come once in `period` of its messages, and not all at the same time.
#[derive(Debug, Clone, Copy)]
pub struct Job {
    pub period: u64,
}

impl Job {
    /// Message `n` of all devices together.
    pub fn device(self, n: u64) -> u64 {
        n % DEVICES
    }

    pub fn shown(self, n: u64) -> Shown {
        let phase = |shift: u64| (n / DEVICES + self.device(n) * self.period / DEVICES + shift) % self.period;
        let share = (self.period / 10).max(1);
        Shown { hot: phase(0) < share, inside: phase(self.period / 2) < share }
    }

    /// What becomes true with message `n` that was not before.
    pub fn begins(self, n: u64) -> Shown {
        let now = self.shown(n);
        let before = n.checked_sub(DEVICES).map_or(Shown { hot: false, inside: false }, |n| self.shown(n));
        Shown { hot: now.hot && !before.hot, inside: now.inside && !before.inside }
    }

    pub fn topic(self, n: u64, out: &mut String) {
        out.clear();
        let device = self.device(n);
        let _ = write!(out, "site/{}/dev/{device:04}", device % 10);
    }

    pub fn payload(self, n: u64, at_ms: i64, out: &mut String) {
        out.clear();
        let (device, seq, Shown { hot, inside }) = (self.device(n), n / DEVICES, self.shown(n));
        let celsius = if hot { 41.5 } else { 25.25 } + (seq % 7) as f64 * 0.05;
        // Outside means a corner of the fence's bounding box: the box alone does not tell.
        let away = if inside { 0.0031 } else { 0.0093 };
        let jitter = (seq % 11) as f64 * 0.00005;
        let side = |bit: u64| if device & bit == 0 { 1.0 } else { -1.0 };
        let (lon, lat) = (CENTRE.0 + side(1) * (away - jitter), CENTRE.1 + side(2) * (away - jitter));
        let _ = write!(
            out,
            r#"{{"ts":{at_ms},"dev":"s-{device:04}","temp":{celsius:.2},"hum":45.5,"lon":{lon:.6},"lat":{lat:.6},"batt":3.55,"seq":{seq}}}"#
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenth_is_hot_and_each_device_turns_hot_once_in_a_period() {
        let job = Job { period: 100 };
        let messages = || DEVICES * 100..DEVICES * 200;
        assert_eq!(messages().filter(|n| job.shown(*n).hot).count() as u64, DEVICES * 10);
        assert_eq!(messages().filter(|n| job.begins(*n).hot).count() as u64, DEVICES);
        assert_eq!(messages().filter(|n| job.begins(*n).inside).count() as u64, DEVICES);
    }

    #[test]
    fn a_payload_is_json_of_about_120_bytes() {
        let mut text = String::new();
        Job { period: 100 }.payload(1_234_567, 1_767_225_600_000, &mut text);
        assert!((110..=130).contains(&text.len()), "{}: {text}", text.len());
        assert!(text.starts_with('{') && text.ends_with('}'));
    }
}
