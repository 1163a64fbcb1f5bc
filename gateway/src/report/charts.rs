//! Bars as SVG, without a script or a font of others.

use std::fmt::Write;

use super::Day;
use super::page::escaped;

const WIDTH: usize = 960;
const HEIGHT: usize = 200;
const AXIS: usize = 24;
/// Height of one bar that lies, with what is between two.
const LYING: usize = 26;
/// Room for names.
const NAMES: usize = 220;

/// Two bars a day: opened and closed.
pub(super) fn days(days: &[Day], (opened, closed): (&str, &str)) -> String {
    let most = days.iter().flat_map(|day| [day.n_opened, day.n_closed]).max().unwrap_or(0).max(1);
    let step = WIDTH as f64 / days.len().max(1) as f64;
    let (total, bar) = (HEIGHT + AXIS, (step * 0.38).max(1.0));
    let mut out = format!("<svg viewBox=\"0 0 {WIDTH} {total}\" role=\"img\" aria-label=\"{opened} / {closed}\">");
    for (i, day) in days.iter().enumerate() {
        let left = i as f64 * step;
        for (nth, (n, class)) in [(day.n_opened, "opened"), (day.n_closed, "closed")].into_iter().enumerate() {
            let height = (HEIGHT - 20) as f64 * n as f64 / most as f64;
            let (x, y) = (left + step * 0.1 + nth as f64 * bar, HEIGHT as f64 - height);
            let _ = write!(
                out,
                "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{bar:.1}\" height=\"{height:.1}\">\
                 <title>{} {n}</title></rect>",
                day.date
            );
            if n > 0 {
                let _ = write!(out, "<text class=\"n\" x=\"{:.1}\" y=\"{:.1}\">{n}</text>", x + bar / 2.0, y - 3.0);
            }
        }
        let (x, y) = (left + step / 2.0, HEIGHT + 16);
        let _ = write!(out, "<text class=\"n\" x=\"{x:.1}\" y=\"{y}\">{}</text>", &day.date[day.date.len() - 2..]);
    }
    let _ = write!(out, "<line class=\"axis\" x1=\"0\" y1=\"{HEIGHT}\" x2=\"{WIDTH}\" y2=\"{HEIGHT}\"/></svg>");
    out
}

/// One lying bar for each, 0 to 100.
pub(super) fn percent(rows: &[(String, f64)]) -> String {
    let total = rows.len() * LYING + 4;
    let room = (WIDTH - NAMES - 60) as f64;
    let mut out = format!("<svg viewBox=\"0 0 {WIDTH} {total}\" role=\"img\">");
    for (i, (name, value)) in rows.iter().enumerate() {
        let (top, width) = (i * LYING + 4, room * value.clamp(0.0, 100.0) / 100.0);
        let middle = top + 14;
        let _ = write!(
            out,
            "<text class=\"name\" x=\"{}\" y=\"{middle}\">{}</text>\
             <rect class=\"opened\" x=\"{NAMES}\" y=\"{top}\" width=\"{width:.1}\" height=\"18\"/>\
             <text x=\"{:.1}\" y=\"{middle}\">{value:.1}</text>",
            NAMES - 8,
            escaped(name),
            NAMES as f64 + width + 6.0
        );
    }
    out + "</svg>"
}
