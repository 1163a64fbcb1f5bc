//! `LOOP.md` as the table says it: written by its test with `OUTPOST_UPDATE_EXPECTED=1`, and held to it without.

use std::fmt::Write as _;
use std::path::Path;

use super::table::{TABLE, To};
use crate::nouns::{Need, Stage};

const HEAD: &str = "# The loop\n\n\
    Drawn from the table in `table.rs`; a test holds the two together. Beside what the table says: people of centres above may\n\
    do what those beneath may, in emergencies all may; moves marked *check* are not for who had a hand in the work; the whole\n\
    clock stands while a ticket is suspended or parked, and ends when it is closed; what the gateway does by itself it\n\
    writes down as `outpost`.\n\n";

fn drawing() -> String {
    let mut page = String::from(HEAD);
    page.push_str("```mermaid\nstateDiagram-v2\n");
    let id = |stage: Stage| stage.as_str().replace('-', "_");
    for stage in Stage::ALL {
        writeln!(page, "    {} : {} {}", id(stage), stage.as_str(), stage.chinese()).unwrap();
    }
    page.push_str("    [*] --> suspected\n    [*] --> reported\n    [*] --> dispatched\n");
    for row in &TABLE {
        let only = match (row.is_urgent, row.is_private) {
            (true, _) => " (emergency)",
            (_, true) => " (private)",
            _ => "",
        };
        for from in row.from {
            let to = match row.to {
                To::Stage(to) => id(to),
                // What stays where it is is in the table only: the drawing would be all loops.
                To::Same => continue,
                To::Held => "filed".into(),
            };
            writeln!(page, "    {} --> {to} : {}{only}", id(*from), row.asked.name()).unwrap();
        }
    }
    page.push_str("```\n\n| move | from | to | who | of | needs | may say |\n|---|---|---|---|---|---|---|\n");
    for row in &TABLE {
        let list = |needs: &[Need]| needs.iter().map(|need| need.key()).collect::<Vec<_>>().join(", ");
        let from: Vec<_> = row.from.iter().map(|stage| stage.as_str()).collect();
        let to = match row.to {
            To::Stage(to) => to.as_str(),
            To::Same => "–",
            To::Held => "where it was",
        };
        let roles: Vec<_> = row.roles.iter().map(|role| role.as_str()).collect();
        let marks = [(row.is_check, " *check*"), (row.is_urgent, " *emergency*"), (row.is_private, " *private*")];
        let marks: String = marks.iter().filter(|(is_set, _)| *is_set).map(|(_, mark)| *mark).collect();
        let (name, chinese) = (row.asked.name(), row.asked.chinese());
        let (from, roles, reach) = (from.join(", "), roles.join(", "), row.reach.as_str());
        let (needs, takes) = (list(row.needs), list(row.takes));
        writeln!(page, "| `{name}` {chinese}{marks} | {from} | {to} | {roles} | {reach} | {needs} | {takes} |")
            .unwrap();
    }
    page
}

#[test]
fn the_page_shows_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/dispatch/LOOP.md");
    let drawn = drawing();
    if std::env::var_os("OUTPOST_UPDATE_EXPECTED").is_some() {
        std::fs::write(&path, &drawn).unwrap();
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap_or_default(), drawn, "OUTPOST_UPDATE_EXPECTED=1 draws it anew");
}
