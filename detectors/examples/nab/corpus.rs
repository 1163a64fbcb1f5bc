//! Reads series with labels: the Numenta Anomaly Benchmark's folder and SKAB's. Knows nothing of detectors or scores.

use std::collections::BTreeMap;
use std::path::Path;

use crate::Failure;

/// One measured series and where its anomalies are.
pub(crate) struct Series {
    pub(crate) name: String,
    pub(crate) at_ms: Vec<i64>,
    pub(crate) values: Vec<f64>,
    /// First and last row of each labelled anomaly.
    pub(crate) windows: Vec<(usize, usize)>,
    /// Rows at the beginning that are there to learn from and are not scored.
    pub(crate) n_probation: usize,
}

/// All series of the benchmark, by name. `folder` holds `data/` and `labels/`.
pub(crate) fn nab(folder: &Path) -> Result<Vec<Series>, Failure> {
    let labels = std::fs::read_to_string(folder.join("labels/combined_windows.json"))
        .map_err(|cause| format!("read the labels in {}: {cause}", folder.display()))?;
    let labels: BTreeMap<String, Vec<(String, String)>> = serde_json::from_str(&labels)?;
    labels.into_iter().map(|(name, windows)| nab_series(folder, name, &windows)).collect()
}

fn nab_series(folder: &Path, name: String, labels: &[(String, String)]) -> Result<Series, Failure> {
    let text = std::fs::read_to_string(folder.join("data").join(&name))?;
    let (mut at_ms, mut values) = (Vec::new(), Vec::new());
    for line in text.lines().skip(1) {
        let (time, value) = line.split_once(',').ok_or_else(|| format!("{name}: no comma in {line:?}"))?;
        at_ms.push(instant_ms(time)?);
        values.push(value.trim().parse()?);
    }
    let row_of = |time: &str| -> Result<usize, Failure> {
        let wanted = instant_ms(time)?;
        Ok(at_ms.iter().position(|at| *at == wanted).ok_or_else(|| format!("{name}: label {time} is no row"))?)
    };
    let windows =
        labels.iter().map(|(from, to)| Ok((row_of(from)?, row_of(to)?))).collect::<Result<Vec<_>, Failure>>()?;
    // 15 % of the rows, and at most 15 % of 5,000 (NAB's `_getProbationaryLength`).
    let n_probation = (values.len() * 15 / 100).min(750);
    Ok(Series { name, at_ms, values, windows, n_probation })
}

/// Scores that another detector got, one a row, from NAB's `results/`.
pub(crate) fn nab_result(folder: &Path, detector: &str, series: &str) -> Result<Vec<f64>, Failure> {
    let (group, file) = series.split_once('/').ok_or("a series without a group")?;
    let text =
        std::fs::read_to_string(folder.join("results").join(detector).join(group).join(format!("{detector}_{file}")))?;
    text.lines().skip(1).map(|line| Ok(line.split(',').nth(2).ok_or("no third column")?.parse()?)).collect()
}

/// A SKAB experiment: eight channels of one test bed, and the rows where its anomaly is.
pub(crate) struct Experiment {
    pub(crate) at_ms: Vec<i64>,
    pub(crate) channels: Vec<Vec<f64>>,
    pub(crate) anomalous: Vec<bool>,
}

/// All experiments with an anomaly below `folder`, by name.
pub(crate) fn skab(folder: &Path) -> Result<Vec<Experiment>, Failure> {
    let mut out = Vec::new();
    for group in ["other", "valve1", "valve2"] {
        let Ok(entries) = std::fs::read_dir(folder.join(group)) else { continue };
        let mut files = entries.collect::<Result<Vec<_>, _>>()?;
        files.sort_by_key(|entry| entry.file_name());
        for file in files {
            let text = std::fs::read_to_string(file.path())?;
            out.push(skab_experiment(&text)?);
        }
    }
    Ok(out)
}

fn skab_experiment(text: &str) -> Result<Experiment, Failure> {
    const N_CHANNELS: usize = 8;
    let mut out = Experiment { at_ms: Vec::new(), channels: vec![Vec::new(); N_CHANNELS], anomalous: Vec::new() };
    for line in text.lines().skip(1) {
        let mut cells = line.split(';');
        out.at_ms.push(instant_ms(cells.next().ok_or("an empty line")?)?);
        for channel in &mut out.channels {
            channel.push(cells.next().ok_or("too few columns")?.parse()?);
        }
        out.anomalous.push(cells.next().ok_or("no label")?.parse::<f64>()? > 0.5);
    }
    Ok(out)
}

/// `2014-02-14 14:30:00`, with or without a fraction that is left out: neither corpus says its zone, so it is UTC.
fn instant_ms(text: &str) -> Result<i64, Failure> {
    let number = |from: usize, to: usize| -> Result<i64, Failure> {
        Ok(text.get(from..to).ok_or_else(|| format!("not a time: {text:?}"))?.parse()?)
    };
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let seconds = (number(11, 13)? * 60 + number(14, 16)?) * 60 + number(17, 19)?;
    // Days from civil, with years that begin in March, so that a leap day comes last.
    let year = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = year * 365 + year / 4 - year / 100 + year / 400 + day_of_year - 719_468;
    Ok((days * 86_400 + seconds) * 1_000)
}
