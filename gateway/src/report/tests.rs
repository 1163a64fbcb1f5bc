//! A month as it is written, from a store that a desk filled.

use super::*;
use crate::config::Severity;
use crate::config::check::check_alone;
use crate::dispatch::{Desk, Effect, Kept};
use crate::nouns::{Alert, AlertKey, Command, Move, Place, Said, Why};
use crate::store::{Commit, Store};

const CONFIG: &str = r#"
[district]
id = "tongliang"
name = "铜梁<区>"

[[calendars]]
id = "d"
zone = "+08:00"

[desk]
calendar = "d"

[[centres]]
id = "district"
name = "铜梁区"
level = "district"

[[centres]]
id = "dongcheng"
name = "东城街道"
level = "town"
parent = "district"
sources = ["s/#"]
"#;

/// 2026-11-01T00:00 at +08:00.
const NOVEMBER_MS: i64 = 1_793_462_400_000;
const DAY_MS: i64 = 86_400_000;

fn alert(n: u64) -> Alert {
    let key = AlertKey { rule: "r".into(), source: format!("s/{n}").into(), fence: None };
    Alert {
        id: key.alert_id(n as i64, 1),
        key,
        name: "垃圾堆放".into(),
        severity: Severity::Minor,
        category: "waste/heap".into(),
        since_at_ms: 0,
        opened_ms: 0,
        place: Place { point: Some((106.03, 29.81)), ..Place::default() },
        why: Why { text: "=1+1".into(), figures: Vec::new() },
        snapshot: None,
        exhibits: Vec::new(),
        confidence: None,
        visible: None,
    }
}

fn config() -> Config {
    check_alone(CONFIG, Path::new("x.toml")).config.unwrap()
}

/// Four tickets of one place in the first days of November, of which the first was fed back.
fn filled(folder: &Path) {
    let mut desk = Desk::restore(&config(), Kept::default());
    let mut effects = Vec::new();
    let mut commit = Commit::default();
    for n in 1..=4 {
        let alert = alert(n);
        desk.alert_opened(&alert, NOVEMBER_MS + (n as i64 - 1) * DAY_MS, &mut effects);
        commit.opened.push((alert, None));
    }
    for (nth, asked) in
        [Move::Accept, Move::File, Move::Dispatch, Move::Sign, Move::Start, Move::FeedBack].into_iter().enumerate()
    {
        let said = Said {
            note: if asked == Move::FeedBack { "swept".into() } else { String::new() },
            unit: (asked == Move::Dispatch).then(|| "环卫队".into()),
            ..Said::default()
        };
        let command = Command { ticket: 1, who: "li".into(), asked, said };
        desk.command(&command, NOVEMBER_MS + 4 * DAY_MS + nth as i64, &mut effects).unwrap();
    }
    for effect in effects {
        match effect {
            Effect::Ticket(ticket) => commit.tickets.push(ticket),
            Effect::Journal(entry) => commit.journal.push(entry),
            Effect::Member { alert, ticket } => commit.members.push((alert, ticket)),
            Effect::Passage(passage) => commit.passages.push(passage),
            Effect::Class(change) => commit.classes.push(change),
            _ => {}
        }
    }
    Store::open(folder, None).unwrap().commit(&commit).unwrap();
}

fn written(data: &Path, out: &Path, language: Language) -> Vec<PathBuf> {
    let now_ms = NOVEMBER_MS + 20 * DAY_MS;
    write(&config(), &FenceSet::default(), "2026-11", (data, out), language, now_ms).unwrap()
}

#[test]
fn a_month_is_one_page_and_five_tables() {
    let (data, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    filled(data.path());
    let files = written(data.path(), out.path(), Language::Chinese);
    let names: Vec<_> = files.iter().map(|path| path.file_name().unwrap().to_str().unwrap()).collect();
    let tables = ["days", "scores", "counts", "classes", "patterns"].map(|name| format!("{name}-2026-11.csv"));
    assert_eq!(names[0], "report-2026-11.html");
    assert_eq!(names[1..], tables);
    let read = |at: usize| std::fs::read_to_string(&files[at]).unwrap();
    let page = read(0);
    for text in ["铜梁&lt;区&gt; 2026-11 月报", "东城街道", "处置率", "类案", "C-1", "环卫队", "≤ 50 m"]
    {
        assert!(page.contains(text), "{text}");
    }
    for banned in ["<script", "http://", "https://", "<区>"] {
        assert!(!page.contains(banned), "{banned}");
    }
    assert!(files[1..].iter().all(|path| std::fs::read(path).unwrap().starts_with(b"\xef\xbb\xbf")));
    let days = read(1);
    let lines: Vec<&str> = days.lines().collect();
    assert_eq!(lines.len(), 31, "a head and thirty days");
    assert_eq!((lines[1], lines[4], lines[5]), ("2026-11-01,1,0", "2026-11-04,1,0", "2026-11-05,0,0"));
    let counts = read(3);
    assert!(counts.contains("town,dongcheng,东城街道,reported,上报数,4,T-1 T-2 T-3 T-4\r\n"), "{counts}");
    assert!(counts.contains("unit,环卫队,环卫队,handled,处置数,1,T-1\r\n"), "{counts}");
    assert!(
        read(4).contains("C-1,waste/heap,found,,,106.0300000,29.8100000,2026-11-02T16:00:00.000Z,,4,"),
        "{}",
        read(4)
    );
}

#[test]
fn the_page_is_english_where_it_is_asked_to_be() {
    let (data, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    filled(data.path());
    let files = written(data.path(), out.path(), Language::English);
    let page = std::fs::read_to_string(&files[0]).unwrap();
    assert!(page.contains("monthly report") && page.contains("handled in time") && page.contains("lang=\"en\""));
    assert!(!page.contains("处置率"));
}

#[test]
fn what_is_no_month_or_no_store_is_told() {
    let (data, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let asked = |month: &str| {
        let folders = (data.path(), out.path());
        write(&config(), &FenceSet::default(), month, folders, Language::English, NOVEMBER_MS).unwrap_err().to_string()
    };
    for month in ["2026-13", "2026-1", "November", "2026-00", ""] {
        assert!(asked(month).contains("is no month"), "{month}");
    }
    assert!(asked("2026-11").contains("there is no database"), "{}", asked("2026-11"));
    assert_eq!(std::fs::read_dir(data.path()).unwrap().count(), 0, "asking makes none");
}
