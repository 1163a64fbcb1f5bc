//! What is usual at an hour of the day and of the week (UTC). Knows nothing of scores.

use serde::{Deserialize, Serialize};

/// An hour's mean is over about as many readings: four days of five-minute readings, or seven weeks of hourly ones.
const N_MEAN: u8 = 48;

/// Means by hour; those of the week stand over those of the day as soon as that hour came once.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Profile {
    day: Means,
    week: [Means; 7],
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Means {
    mean: [f32; 24],
    n: [u8; 24],
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Hour {
    pub(super) of_day: usize,
    day_of_week: usize,
}

impl Hour {
    pub(super) fn of(at_ms: i64) -> Hour {
        let hours = at_ms.div_euclid(3_600_000);
        Hour { of_day: hours.rem_euclid(24) as usize, day_of_week: hours.div_euclid(24).rem_euclid(7) as usize }
    }
}

impl Profile {
    /// What the day's and the week's hour lead one to expect; `otherwise` where the hour never came.
    pub(super) fn expect(&self, hour: Hour, otherwise: f32) -> (f32, f32) {
        let day = self.day.at(hour.of_day).unwrap_or(otherwise);
        (day, self.week[hour.day_of_week].at(hour.of_day).unwrap_or(day))
    }

    pub(super) fn learn(&mut self, hour: Hour, value: f32) {
        self.day.learn(hour.of_day, value);
        self.week[hour.day_of_week].learn(hour.of_day, value);
    }
}

impl Means {
    fn at(&self, hour: usize) -> Option<f32> {
        (self.n[hour] > 0).then(|| self.mean[hour])
    }

    fn learn(&mut self, hour: usize, value: f32) {
        self.n[hour] = (self.n[hour] + 1).min(N_MEAN);
        self.mean[hour] += (value - self.mean[hour]) / f32::from(self.n[hour]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_MS: i64 = 3_600_000;

    #[test]
    fn the_week_stands_over_the_day_once_it_came_round() {
        let mut profile = Profile::default();
        let (monday, tuesday) = (Hour::of(8 * HOUR_MS), Hour::of(32 * HOUR_MS));
        assert_eq!(profile.expect(monday, 7.0), (7.0, 7.0));
        profile.learn(monday, 10.0);
        assert_eq!(profile.expect(tuesday, 7.0), (10.0, 10.0));
        profile.learn(tuesday, 20.0);
        assert_eq!(profile.expect(monday, 7.0), (15.0, 10.0));
    }

    #[test]
    fn hours_before_1970_and_at_the_ends_of_time_are_hours() {
        for at_ms in [i64::MIN, -1, 0, i64::MAX] {
            let hour = Hour::of(at_ms);
            assert!(hour.of_day < 24 && hour.day_of_week < 7);
        }
        assert_eq!(Hour::of(-1).of_day, 23);
    }
}
