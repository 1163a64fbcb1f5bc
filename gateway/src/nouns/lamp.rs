//! A limit that runs, and the lamp that shows how far it has run. The lamp is computed from the time of asking, never kept.

/// One limit of one ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clock {
    pub runs: Runs,
    /// Running time from beginning to end, with what was added.
    pub budget_ms: i64,
    /// Gateway time at which the lamp turns yellow, and after which it is red.
    pub yellow_ms: i64,
    pub due_ms: i64,
    /// While it stands: the running time that is left, below 0 where it is overdue.
    pub left_ms: Option<i64>,
    /// What was done by itself about its being red: 0 nothing, 1 supervised, one more for each level up.
    pub n_told: u32,
}

/// When a clock runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Runs {
    Always,
    /// In the desk's hours on working days.
    Working,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lamp {
    /// No clock runs: the work is done, or waits apart.
    Off,
    Green,
    Yellow,
    Red,
}

impl Clock {
    /// Red when overdue, yellow when little time is left.
    pub fn lamp(&self, now_ms: i64) -> Lamp {
        match self.left_ms {
            Some(_) => Lamp::Off,
            None => Lamp::at(now_ms, self.yellow_ms, self.due_ms),
        }
    }
}

impl Runs {
    pub fn as_str(self) -> &'static str {
        match self {
            Runs::Always => "always",
            Runs::Working => "working",
        }
    }

    pub fn parse(text: &str) -> Option<Runs> {
        [Runs::Always, Runs::Working].into_iter().find(|runs| runs.as_str() == text)
    }
}

impl Lamp {
    /// Of a clock that runs.
    pub fn at(now_ms: i64, yellow_ms: i64, due_ms: i64) -> Lamp {
        if now_ms > due_ms {
            Lamp::Red
        } else if now_ms >= yellow_ms {
            Lamp::Yellow
        } else {
            Lamp::Green
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Lamp::Off => "off",
            Lamp::Green => "green",
            Lamp::Yellow => "yellow",
            Lamp::Red => "red",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lamp_goes_green_yellow_red_with_the_clock_and_off_while_it_stands() {
        let clock =
            Clock { runs: Runs::Always, budget_ms: 4_000, yellow_ms: 4_000, due_ms: 5_000, left_ms: None, n_told: 0 };
        let lamps = [1_000, 3_999, 4_000, 5_000, 5_001].map(|now_ms| clock.lamp(now_ms));
        assert_eq!(lamps, [Lamp::Green, Lamp::Green, Lamp::Yellow, Lamp::Yellow, Lamp::Red]);
        assert_eq!(Clock { left_ms: Some(-1), ..clock }.lamp(9_000), Lamp::Off);
    }
}
