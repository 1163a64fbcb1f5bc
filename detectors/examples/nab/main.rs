//! Scores the anomaly detector on the Numenta Anomaly Benchmark, on a seeded set of its own and on SKAB.
//!
//! ```sh
//! cargo run --release -p outpost-detectors --example nab -- --nab DIR [--skab DIR]
//! ```
//!
//! `--nab` is a checkout of <https://github.com/numenta/NAB>, `--skab` the `data` folder of
//! <https://github.com/waico/SKAB>; `make nab` fetches the first. Without a folder its part is left out, and said so.
//! The same scorer first scores what other detectors published in NAB's `results/`, to show that it scores as NAB does.

mod corpus;
mod events;
mod own;
mod scorer;

use std::path::Path;
use std::time::Instant;

use outpost_detectors::anomaly::{ALERT_SCORE, AnomalyConfig, AnomalyState, MARGIN_NAB};

use corpus::Series;
use scorer::{PROFILES, Scored, optimise, score_at};

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let folder = |name: &str| words.chunks_exact(2).find(|pair| pair[0] == name).map(|pair| Path::new(&pair[1]));
    match folder("--nab") {
        Some(folder) => print_nab(folder)?,
        None => println!("NAB: no --nab folder given, left out"),
    }
    own::print();
    match folder("--skab") {
        Some(folder) => print_skab(folder)?,
        None => println!("\nSKAB: no --skab folder given, left out"),
    }
    Ok(())
}

fn print_nab(folder: &Path) -> Result<(), Failure> {
    let series = corpus::nab(folder)?;
    let n_rows: usize = series.iter().map(|series| series.values.len()).sum();
    let n_windows: usize = series.iter().map(|series| series.windows.len()).sum();
    println!("## NAB ({} series, {n_rows} rows, {n_windows} windows)\n", series.len());

    println!(
        "The scorer on published results (NAB's own figures: null 0 / 0 / 0, windowedGaussian 39.6 / 20.9 / 47.4,"
    );
    println!("contextOSE 69.9 / 67.0 / 73.2):\n");
    for detector in ["null", "windowedGaussian", "contextOSE"] {
        if folder.join("results").join(detector).is_dir() {
            let scored = published(folder, detector, &series)?;
            let scores = PROFILES.map(|profile| optimise(&all(&scored), profile).score);
            println!("- {detector} {:.1} / {:.1} / {:.1}", scores[0], scores[1], scores[2]);
        }
    }

    let started = Instant::now();
    let scored = detect(&series, None);
    let seconds = started.elapsed().as_secs_f64();
    println!("\nThis detector: {:.0} rows/s on one core\n", n_rows as f64 / seconds);
    println!(
        "| profile | score | threshold | windows found | false alarm rows | half A | half B | A at B's threshold | B at A's |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    let half = |odd: usize| scored.iter().skip(odd).step_by(2).collect::<Vec<_>>();
    let (half_a, half_b) = (half(0), half(1));
    for profile in PROFILES {
        let best = optimise(&all(&scored), profile);
        let (best_a, best_b) = (optimise(&half_a, profile), optimise(&half_b, profile));
        println!(
            "| {} | {:.1} | {:.4} | {} of {} | {} | {:.1} | {:.1} | {:.1} | {:.1} |",
            profile.name,
            best.score,
            best.threshold,
            best.n_detected,
            best.n_windows,
            best.n_false,
            score_at(&half_a, profile, best.threshold).score,
            score_at(&half_b, profile, best.threshold).score,
            score_at(&half_a, profile, best_b.threshold).score,
            score_at(&half_b, profile, best_a.threshold).score,
        );
    }
    let shipped = score_at(&all(&scored), PROFILES[0], ALERT_SCORE);
    println!("\nStandard profile at the default alarm score {ALERT_SCORE}: {:.1}", shipped.score);
    print_groups(&scored);
    println!("\n| learning period for all series | standard |\n|---|---|");
    for learn_n in [150, 300, 600] {
        println!("| {learn_n} | {:.1} |", optimise(&all(&detect(&series, Some(learn_n))), PROFILES[0]).score);
    }
    Ok(())
}

/// Windows found and false alarms for each of NAB's folders, at the default alarm score.
fn print_groups(scored: &[Scored]) {
    println!("\n| folder | windows found | false alarm rows |\n|---|---|---|");
    let mut rest = scored;
    while let Some(first) = rest.first() {
        let group = first.series.name.split('/').next().unwrap_or_default();
        let n = rest.iter().take_while(|scored| scored.series.name.starts_with(group)).count();
        let outcome = score_at(&all(&rest[..n]), PROFILES[0], ALERT_SCORE);
        println!("| {group} | {} of {} | {} |", outcome.n_detected, outcome.n_windows, outcome.n_false);
        rest = &rest[n..];
    }
}

/// NAB tells each detector how long the probation of a series is; that is what it learns from, unless told otherwise.
fn detect(series: &[Series], learn_n: Option<u32>) -> Vec<Scored<'_>> {
    let mut out = Vec::with_capacity(series.len());
    for series in series {
        let learn_n = learn_n.unwrap_or(series.n_probation as u32);
        let config = AnomalyConfig { learn_n, resolution: 0.0, margin: MARGIN_NAB };
        let mut state = AnomalyState::default();
        let rows = series.values.iter().zip(&series.at_ms);
        let scores = rows.map(|(value, at_ms)| config.observe(&mut state, *value, *at_ms).score).collect();
        out.push(Scored { series, scores });
    }
    out
}

fn published<'a>(folder: &Path, detector: &str, series: &'a [Series]) -> Result<Vec<Scored<'a>>, Failure> {
    let mut out = Vec::with_capacity(series.len());
    for series in series {
        out.push(Scored { series, scores: corpus::nab_result(folder, detector, &series.name)? });
    }
    Ok(out)
}

fn all<'a, 'b>(scored: &'b [Scored<'a>]) -> Vec<&'b Scored<'a>> {
    scored.iter().collect()
}

fn print_skab(folder: &Path) -> Result<(), Failure> {
    /// Rows (seconds) of a SKAB experiment that its authors give to learn from.
    const LEARN_N: u32 = 400;
    /// Alarms as the valve opens again belong to the event.
    const N_SETTLE: usize = 60;
    let experiments = corpus::skab(folder)?;
    println!("\n## SKAB ({} experiments, a detector on each of 8 channels)\n", experiments.len());
    println!("{}", events::Tally::HEADER);
    for margin in events::MARGINS {
        let mut total = events::Tally::default();
        for experiment in &experiments {
            let anomalous = &experiment.anomalous;
            let is_first = |row: &usize| anomalous[*row] && (*row == 0 || !anomalous[row - 1]);
            let events = (0..anomalous.len()).filter(is_first).map(|first| {
                let n = anomalous[first..].iter().take_while(|is| **is).count();
                (first, first + n - 1)
            });
            let events: Vec<_> = events.collect();
            let config = AnomalyConfig { learn_n: LEARN_N, resolution: 0.0, margin };
            total.add(&events::judge(&config, &experiment.channels, &experiment.at_ms, &events, N_SETTLE));
        }
        println!("{}", total.line("all", margin));
    }
    Ok(())
}
