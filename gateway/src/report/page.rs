//! The month as one HTML file: no script, no font, no picture from elsewhere.

use std::fmt::Write;

use outpost_fences::recurrence::Count as Pairs;

use super::{Category, Language, Month, Part, charts};
use crate::config::{Count, Figure, Level};
use crate::dispatch::patterns::Patterns;
use crate::dispatch::scores::sheet::Whose;

const STYLE: &str = include_str!("page.css");
/// Rows of one table; the CSV files have all.
const ROWS_MAX: usize = 200;
/// Clusters and tickets that are named.
const NAMED_MAX: usize = 20;

impl Language {
    /// One of two texts.
    pub(super) fn of(self, chinese: &'static str, english: &'static str) -> &'static str {
        match self {
            Language::Chinese => chinese,
            Language::English => english,
        }
    }
}

/// Text as HTML and as an attribute.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

pub(super) fn page(month: &Month, language: Language) -> String {
    let title = format!("{} {} {}", escaped(&month.district), month.month, language.of("月报", "monthly report"));
    let mut out = format!(
        "<!doctype html>\n<html lang=\"{}\">\n<head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title>\n<style>\n{STYLE}</style></head>\n\
         <body>\n<h1>{title}</h1>\n<p class=\"small\">{} {} – {} · {} {}</p>\n",
        language.of("zh-CN", "en"),
        language.of("统计区间", "period"),
        month.clock_text(month.period.from_ms),
        month.clock_text(month.period.until_ms()),
        language.of("生成于", "written"),
        month.clock_text(month.period.now_ms),
    );
    summary(&mut out, month, language);
    for part in &month.parts {
        scores(&mut out, month, part, language);
    }
    classes(&mut out, month, language);
    for category in &month.patterns {
        patterns(&mut out, category, language);
    }
    formulas(&mut out, month, language);
    out += "</body>\n</html>\n";
    out
}

fn summary(out: &mut String, month: &Month, language: Language) {
    let district = month.parts.iter().find(|part| part.whose == Whose::Centres(Level::District));
    let row = district.and_then(|part| part.sheet.rows.values().next());
    *out += "<div class=\"tiles\">";
    for count in [Count::Reported, Count::Handled, Count::Closed, Count::Overdue, Count::Suspended, Count::Parked] {
        let n = row.map_or(0, |row| row.n(count));
        let _ = write!(out, "<div><b>{n}</b>{}</div>", count_name(count, language));
    }
    *out += "</div>\n";
    let (opened, closed) = (language.of("上报", "opened"), language.of("结案", "closed"));
    let _ = write!(
        out,
        "<h2>{}</h2>\n<p class=\"small\"><span class=\"key opened\"></span>{opened} <span class=\"key closed\"></span>{closed}</p>\n{}\n",
        language.of("每日上报与结案", "Opened and closed by day"),
        charts::days(&month.days, (opened, closed))
    );
}

fn count_name(count: Count, language: Language) -> String {
    match language {
        Language::Chinese => count.chinese().to_owned(),
        Language::English => count.as_str().replace('_', " "),
    }
}

fn scores(out: &mut String, month: &Month, part: &Part, language: Language) {
    let heading = match part.whose {
        Whose::Centres(Level::District) => language.of("区级得分", "Scores of the district"),
        Whose::Centres(Level::Town) => language.of("镇街得分", "Scores of towns"),
        Whose::Centres(Level::Village) => language.of("村社得分", "Scores of villages"),
        Whose::Centres(Level::Grid) => language.of("网格得分", "Scores of grids"),
        Whose::Units => language.of("处置部门得分", "Scores of departments"),
        Whose::Officers => language.of("人员得分", "Scores of people"),
    };
    let _ = writeln!(out, "<h2>{heading}</h2>");
    let all = &month.scoring.scores;
    for score in all.iter().filter(|score| matches!(score.figure, Figure::Points { .. })) {
        let bars =
            part.sheet.rows.iter().filter_map(|(of, row)| Some((part.name(of), row.figure(&score.figure, all)?)));
        let mut bars: Vec<(String, f64)> = bars.collect();
        bars.sort_by(|(a, x), (b, y)| y.total_cmp(x).then_with(|| a.cmp(b)));
        bars.truncate(ROWS_MAX);
        if !bars.is_empty() {
            let _ = writeln!(out, "<h3>{}</h3>\n{}", score_name(score, language), charts::percent(&bars));
        }
    }
    let _ = write!(out, "<div class=\"wide\"><table><tr><th></th>");
    for score in all {
        let _ = write!(out, "<th>{}</th>", score_name(score, language));
    }
    *out += "</tr>\n";
    for (of, row) in part.sheet.rows.iter().take(ROWS_MAX) {
        let _ = write!(out, "<tr><th>{}</th>", escaped(&part.name(of)));
        for score in all {
            let value = row.figure(&score.figure, all);
            let digits = usize::from(!matches!(score.figure, Figure::Count { .. }));
            let value = value.map_or_else(|| "–".to_owned(), |value| format!("{value:.digits$}"));
            let of_what: Vec<String> = crate::dispatch::scores::sheet::Row::counts(&score.figure, all)
                .into_iter()
                .map(|count| format!("{} {}", count_name(count, language), row.n(count)))
                .collect();
            let _ = write!(out, "<td title=\"{}\">{value}</td>", of_what.join(", "));
        }
        *out += "</tr>\n";
    }
    *out += "</table></div>\n";
    let apart: Vec<String> = part
        .sheet
        .rows
        .iter()
        .flat_map(|(of, row)| {
            let tickets =
                [Count::Suspended, Count::Parked, Count::ForceMajeure].map(|count| (count, row.tickets(count)));
            tickets.into_iter().filter(|(_, tickets)| !tickets.is_empty()).map(move |(count, tickets)| {
                format!("{} {}: {}", escaped(&part.name(of)), count_name(count, language), named(tickets))
            })
        })
        .collect();
    if !apart.is_empty() {
        let says = language.of("不计入考核（挂起、挂账、不可抗力）", "Out of reach, in no count of what was due");
        let _ = writeln!(out, "<p class=\"small\">{says}: {}</p>", apart.join("; "));
    }
}

fn score_name(score: &crate::config::Score, language: Language) -> String {
    let english = Some(&score.english).filter(|english| !english.is_empty()).unwrap_or(&score.id);
    escaped(match language {
        Language::Chinese => &score.name,
        Language::English => english,
    })
}

/// The first of them.
fn named(tickets: &[u64]) -> String {
    let more = tickets.len().saturating_sub(NAMED_MAX);
    let shown: Vec<_> = tickets.iter().take(NAMED_MAX).map(|no| format!("T-{no}")).collect();
    shown.join(" ") + &if more > 0 { format!(" … +{more}") } else { String::new() }
}

fn classes(out: &mut String, month: &Month, language: Language) {
    let classes = &month.classes;
    let _ = writeln!(out, "<h2>{}</h2>", language.of("类案", "Class cases"));
    if classes.is_empty() {
        let _ = writeln!(out, "<p>{}</p>", language.of("本月无类案。", "There were none."));
        return;
    }
    let _ = write!(out, "<div class=\"wide\"><table class=\"words\"><tr>");
    for (chinese, english) in [
        ("类案", "case"),
        ("小类", "category"),
        ("地点", "place"),
        ("状态", "stage"),
        ("发现", "found"),
        ("工单", "tickets"),
        ("结案前", "before"),
        ("结案后", "after"),
        ("p", "p"),
    ] {
        let _ = write!(out, "<th>{}</th>", language.of(chinese, english));
    }
    *out += "</tr>\n";
    for class in classes.iter().take(ROWS_MAX) {
        let case = &class.case;
        let place = case.place.as_deref().or(case.grid.as_deref()).unwrap_or("–");
        let (before, after, p) = class.change.as_ref().map_or(("–".into(), "–".into(), "–".into()), |change| {
            let here = &change.here;
            (here.n_before.to_string(), here.n_after.to_string(), format!("{:.3}", here.p()))
        });
        let _ = writeln!(
            out,
            "<tr><th>C-{}</th><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}: {}</td><td>{before}</td><td>{after}</td><td>{p}</td></tr>",
            case.no,
            escaped(&case.category),
            escaped(place),
            language.of(case.stage.chinese(), case.stage.as_str()),
            &month.clock_text(case.opened_ms)[..10],
            class.tickets.len(),
            named(&class.tickets),
        );
    }
    *out += "</table></div>\n";
    let says = language.of(
        "结案前后为等长时段内同一地点、同一小类的工单数；p 为无变化时出现如此少或更少工单的概率。起始数高者本会回落，p 只说明下降是否超出偶然。",
        "Before and after are tickets of the category at the place over spans of equal length; p is how likely so few or fewer are if \
         nothing changed. What was high falls anyway: p tells whether the drop is more than luck, not what caused it.",
    );
    let _ = writeln!(out, "<p class=\"small\">{says}</p>");
}

fn patterns(out: &mut String, category: &Category, language: Language) {
    let heading = language.of("时空规律", "Patterns");
    let tickets = language.of("件", "tickets");
    let name = escaped(&category.category);
    let name = if name.is_empty() { language.of("（未分类）", "(no category)").to_owned() } else { name };
    let _ = writeln!(out, "<h2>{heading}: {name} ({} {tickets})</h2>", category.n_month);
    match &category.found {
        Ok(found) => pattern_tables(out, found, language),
        Err(unanswered) => {
            let _ = writeln!(out, "<p>{}</p>", escaped(&unanswered.to_string()));
        }
    }
}

fn pattern_tables(out: &mut String, found: &Patterns, language: Language) {
    let says = match &found.patrol {
        Some(patrol) => {
            let (radius_m, days) = (patrol.radius_m, patrol.for_ms as f64 / 86_400_000.0);
            match language {
                Language::Chinese => format!("建议：发生后 {days} 天内，在 {radius_m} 米范围内加强巡查。"),
                Language::English => format!("Proposed: patrol within {radius_m} m for {days} days after each."),
            }
        }
        None => language.of("未见超出偶然的近重复。", "No near repeats beyond chance.").to_owned(),
    };
    let _ = writeln!(out, "<p>{says}</p>\n<div class=\"pair\">");
    let near = language.of("近重复：实际/期望（p）", "Near repeats: observed / expected (p)");
    table(out, near, &found.table.bands, found, language);
    let knox = language.of("Knox 检验（累计）", "Knox test (cumulative)");
    table(out, knox, &found.table.within, found, language);
    *out += "</div>\n";
    let clusters = found.clusters.iter().take(NAMED_MAX).map(|cluster| {
        let (lon, lat) = cluster.middle;
        format!("<li>{lon:.5}, {lat:.5}: {} ({})</li>", cluster.tickets.len(), named(&cluster.tickets))
    });
    let clusters: String = clusters.collect();
    if !clusters.is_empty() {
        let heading = language.of("聚集（ST-DBSCAN）", "Clusters (ST-DBSCAN)");
        let _ = writeln!(out, "<h3>{heading}</h3>\n<ol>{clusters}</ol>");
    }
}

fn table(out: &mut String, heading: &str, rows: &[Vec<Pairs>], found: &Patterns, language: Language) {
    let scales = &found.table.scales;
    let _ = write!(out, "<table><caption>{heading}</caption><tr><th></th>");
    for span_ms in &scales.spans_ms {
        let _ = write!(out, "<th>≤ {} {}</th>", *span_ms as f64 / 86_400_000.0, language.of("天", "d"));
    }
    *out += "</tr>\n";
    for (metres, row) in scales.metres.iter().zip(rows) {
        let _ = write!(out, "<tr><th>≤ {metres} m</th>");
        for count in row {
            let class = if count.is_more_than_chance() { "more" } else { "" };
            let _ = write!(out, "<td class=\"{class}\">{} / {:.1} ({:.3})</td>", count.n, count.expected, count.p);
        }
        *out += "</tr>\n";
    }
    *out += "</table>\n";
}

/// How each figure is made.
fn formulas(out: &mut String, month: &Month, language: Language) {
    let _ = writeln!(out, "<h2>{}</h2>\n<table>", language.of("公式", "Formulas"));
    for score in &month.scoring.scores {
        let formula = match &score.figure {
            Figure::Rate { numerator, denominator, .. } => format!("{numerator} / {denominator}"),
            Figure::Count { of } => of.to_string(),
            Figure::Mean { over, .. } => format!("Σ / {}", over.as_str()),
            Figure::Points { terms } => {
                let term = |term: &crate::config::Term| match term.inverted {
                    true => format!("{} · (1 − {})", term.points, term.rate),
                    false => format!("{} · {}", term.points, term.rate),
                };
                terms.iter().map(term).collect::<Vec<_>>().join(" + ")
            }
        };
        let _ = writeln!(out, "<tr><th>{}</th><td>{}</td></tr>", score_name(score, language), escaped(&formula));
    }
    *out += "</table>\n<table>\n";
    for count in Count::ALL {
        let _ = writeln!(
            out,
            "<tr><th>{}</th><td>{}</td><td>{}</td></tr>",
            count.as_str(),
            count.chinese(),
            escaped(count.says())
        );
    }
    *out += "</table>\n";
}
