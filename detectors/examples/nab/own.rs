//! A small seeded set of what fails in the field: ramp, step, stuck, drop-out and drift on three kinds of sensor.
//! Known by construction, so it has none of the labelling doubts of NAB. Nothing was tuned on it.

use outpost_detectors::anomaly::AnomalyConfig;

use crate::events::{MARGINS, Tally, judge};

const N_ROWS: usize = 2_016;
const STEP_MS: i64 = 600_000;
const N_SEEDS: u64 = 20;
/// Two days: what the detector is told to learn from.
const LEARN_N: u32 = 288;

const FAULTS: [Fault; 5] = [Fault::Ramp, Fault::Step, Fault::Stuck, Fault::DropOut, Fault::Drift];

#[derive(Clone, Copy)]
enum Fault {
    /// Rises by 8 noise deviations and a day's swing within an hour, stays for five.
    Ramp,
    /// The same at once.
    Step,
    /// Repeats one value for six hours.
    Stuck,
    /// Reads zero for half an hour.
    DropOut,
    /// The step's height within two days, and stays.
    Drift,
}

impl Fault {
    fn name(self) -> &'static str {
        match self {
            Fault::Ramp => "ramp",
            Fault::Step => "step",
            Fault::Stuck => "stuck",
            Fault::DropOut => "drop-out",
            Fault::Drift => "drift",
        }
    }

    fn n_rows(self) -> usize {
        match self {
            Fault::Ramp | Fault::Step | Fault::Stuck => 36,
            Fault::DropOut => 3,
            Fault::Drift => 288,
        }
    }
}

/// Two weeks of a reading each ten minutes.
#[derive(Clone, Copy)]
enum Sensor {
    /// 20 degrees, 4 up and down in a day, noise of 0.3 with memory.
    Temperature,
    /// 5 bar, noise of 0.05.
    Pressure,
    /// A tank that drains within eight hours from 80 % and is filled within one, noise of 0.5 %.
    Level,
}

impl Sensor {
    fn swing_and_noise(self) -> (f64, f64) {
        match self {
            Sensor::Temperature => (4.0, 0.3),
            Sensor::Pressure => (0.0, 0.05),
            Sensor::Level => (40.0, 0.5),
        }
    }

    fn at(self, row: usize) -> f64 {
        match self {
            Sensor::Temperature => 20.0 + 4.0 * (row as f64 / 144.0 * std::f64::consts::TAU).sin(),
            Sensor::Pressure => 5.0,
            Sensor::Level => {
                let phase = row % 54;
                if phase < 48 { 80.0 - phase as f64 / 48.0 * 60.0 } else { 20.0 + (phase - 48) as f64 * 10.0 }
            }
        }
    }
}

pub(crate) fn print() {
    println!("\n## Own set ({} series of {N_ROWS} rows)\n", FAULTS.len() * 3 * N_SEEDS as usize);
    println!("{}", Tally::HEADER);
    for margin in MARGINS {
        let config = AnomalyConfig { learn_n: LEARN_N, resolution: 0.0, margin };
        let mut all = Tally::default();
        for fault in FAULTS {
            let tally = tally(fault, &config);
            println!("{}", tally.line(fault.name(), margin));
            all.add(&tally);
        }
        println!("{}", all.line("all", margin));
    }
}

fn tally(fault: Fault, config: &AnomalyConfig) -> Tally {
    let at_ms: Vec<i64> = (0..N_ROWS as i64).map(|row| row * STEP_MS).collect();
    let mut out = Tally::default();
    for sensor in [Sensor::Temperature, Sensor::Pressure, Sensor::Level] {
        for seed in 0..N_SEEDS {
            let (values, event) = series(sensor, fault, seed);
            // What comes after an event is a changed world: not counted.
            out.add(&judge(config, &[values], &at_ms, &[event], N_ROWS));
        }
    }
    out
}

fn series(sensor: Sensor, fault: Fault, seed: u64) -> (Vec<f64>, (usize, usize)) {
    let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x2545_f491_4f6c_dd1d);
    let (swing, deviation) = sensor.swing_and_noise();
    let first = 800 + (dice.uniform() * 800.0) as usize;
    let last = first + fault.n_rows() - 1;
    let height = swing + 8.0 * deviation;
    let mut noise = 0.0;
    let mut values: Vec<f64> = Vec::with_capacity(N_ROWS);
    for row in 0..N_ROWS {
        noise = 0.5 * noise + deviation * 0.75_f64.sqrt() * dice.normal();
        let normal = sensor.at(row) + noise;
        let since = row.saturating_sub(first) as f64;
        values.push(match fault {
            Fault::Ramp if (first..=last).contains(&row) => normal + height * (since / 6.0).min(1.0),
            Fault::Step if (first..=last).contains(&row) => normal + height,
            Fault::Stuck if (first..=last).contains(&row) => values[first - 1],
            Fault::DropOut if (first..=last).contains(&row) => 0.0,
            Fault::Drift => normal + height * (since / 288.0).min(1.0),
            _ => normal,
        });
    }
    (values, (first, last))
}

/// xorshift64*: the same series on every machine.
struct Dice(u64);

impl Dice {
    fn uniform(&mut self) -> f64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Sum of twelve: its tails end at six deviations, which is as wild as a sound sensor gets.
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0
    }
}
