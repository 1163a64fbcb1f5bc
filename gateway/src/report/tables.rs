//! CSV files (RFC 4180): UTF-8 with a byte-order mark, without which Excel takes them for the system's own coding.

use super::Month;
use crate::config::Count;
use crate::telemetry::time_text;

const BYTE_ORDER_MARK: char = '\u{feff}';

pub(super) fn all(month: &Month) -> Vec<(String, String)> {
    let named = |name: &str, rows: Vec<Vec<String>>| (format!("{name}-{}.csv", month.month), csv(&rows));
    vec![
        named("days", days(month)),
        named("scores", scores(month)),
        named("counts", counts(month)),
        named("classes", classes(month)),
        named("patterns", patterns(month)),
    ]
}

fn row<const N: usize>(cells: [&str; N]) -> Vec<String> {
    cells.map(str::to_owned).to_vec()
}

fn days(month: &Month) -> Vec<Vec<String>> {
    let mut out = vec![row(["date", "opened", "closed"])];
    out.extend(month.days.iter().map(|day| row([&day.date, &day.n_opened.to_string(), &day.n_closed.to_string()])));
    out
}

fn scores(month: &Month) -> Vec<Vec<String>> {
    let mut out = vec![row(["level", "of", "name", "score", "score_name", "value"])];
    for part in &month.parts {
        for (of, counted) in &part.sheet.rows {
            for score in &month.scoring.scores {
                let value = counted.figure(&score.figure, &month.scoring.scores);
                let value = value.map(|value| format!("{value:.4}")).unwrap_or_default();
                out.push(row([part.level(), of, &part.name(of), &score.id, &score.name, &value]));
            }
        }
    }
    out
}

/// Every count with its tickets.
fn counts(month: &Month) -> Vec<Vec<String>> {
    let mut out = vec![row(["level", "of", "name", "count", "count_name", "n", "tickets"])];
    for part in &month.parts {
        for (of, counted) in &part.sheet.rows {
            for count in Count::ALL {
                let tickets: Vec<_> = counted.tickets(*count).iter().map(|no| format!("T-{no}")).collect();
                let n = tickets.len().to_string();
                let (level, name) = (part.level(), part.name(of));
                out.push(row([level, of, &name, count.as_str(), count.chinese(), &n, &tickets.join(" ")]));
            }
        }
    }
    out
}

fn classes(month: &Month) -> Vec<Vec<String>> {
    let mut out = vec![row([
        "class",
        "category",
        "stage",
        "grid",
        "place",
        "longitude",
        "latitude",
        "opened",
        "ended",
        "n",
        "tickets",
        "days_compared",
        "before",
        "after",
        "p",
    ])];
    for class in &month.classes {
        let case = &class.case;
        let tickets: Vec<_> = class.tickets.iter().map(|no| format!("T-{no}")).collect();
        let degrees = |value: Option<f64>| value.map(|value| format!("{value:.7}")).unwrap_or_default();
        let (lon, lat) = case.point.unzip();
        let change = |of: &dyn Fn(&super::Change) -> String| class.change.as_ref().map(of).unwrap_or_default();
        out.push(vec![
            format!("C-{}", case.no),
            case.category.to_string(),
            case.stage.as_str().into(),
            case.grid.as_deref().unwrap_or_default().into(),
            case.place.as_deref().unwrap_or_default().into(),
            degrees(lon),
            degrees(lat),
            time_text(case.opened_ms),
            case.ended_ms.map(time_text).unwrap_or_default(),
            tickets.len().to_string(),
            tickets.join(" "),
            change(&|change| format!("{:.2}", change.span_ms as f64 / 86_400_000.0)),
            change(&|change| change.here.n_before.to_string()),
            change(&|change| change.here.n_after.to_string()),
            change(&|change| format!("{:.4}", change.here.p())),
        ]);
    }
    out
}

fn patterns(month: &Month) -> Vec<Vec<String>> {
    let mut out = vec![row(["category", "table", "metres", "days", "pairs", "expected", "ratio", "p"])];
    for category in &month.patterns {
        let Ok(found) = &category.found else { continue };
        for (table, cells) in [("near_repeats", &found.table.bands), ("knox", &found.table.within)] {
            for (metres, cells) in found.table.scales.metres.iter().zip(cells) {
                for (span_ms, count) in found.table.scales.spans_ms.iter().zip(cells) {
                    let days = format!("{:.2}", *span_ms as f64 / 86_400_000.0);
                    let ratio = count.ratio().map(|ratio| format!("{ratio:.4}")).unwrap_or_default();
                    let (n, expected, p) =
                        (count.n.to_string(), format!("{:.4}", count.expected), format!("{:.4}", count.p));
                    out.push(row([&category.category, table, &metres.to_string(), &days, &n, &expected, &ratio, &p]));
                }
            }
        }
    }
    out
}

fn csv(rows: &[Vec<String>]) -> String {
    let mut out = String::from(BYTE_ORDER_MARK);
    for row in rows {
        let cells: Vec<String> = row.iter().map(|cell| quoted(cell)).collect();
        out += &cells.join(",");
        out += "\r\n";
    }
    out
}

/// Text from outside must not become a formula when a spreadsheet opens it (OWASP, CSV injection).
fn quoted(cell: &str) -> String {
    let is_number = cell.parse::<f64>().is_ok();
    let guard = if !is_number && cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
    if guard.is_empty() && !cell.contains(['"', ',', '\n', '\r']) {
        return cell.to_owned();
    }
    format!("\"{guard}{}\"", cell.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_and_never_formulas() {
        for (cell, expected) in [
            ("a", "a"),
            ("a, b", "\"a, b\""),
            ("say \"hi\"", "\"say \"\"hi\"\"\""),
            ("-3.5", "-3.5"),
            ("=HYPERLINK(1)", "\"'=HYPERLINK(1)\""),
            ("@x", "\"'@x\""),
            ("铜梁区", "铜梁区"),
        ] {
            assert_eq!(quoted(cell), expected);
        }
        assert_eq!(csv(&[row(["日", "b"])]), "\u{feff}日,b\r\n");
    }
}
