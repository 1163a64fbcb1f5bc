//! The page at `/` in a real Chromium, on the demo of the real binary: what operators see is what the gateway has.

use std::fs::File;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::page_chromium::Chromium;
use crate::support::DEADLINE;

const POLL: Duration = Duration::from_millis(50);

/// What the demo prints, in the test's folder.
const SAID: &str = "said.txt";

/// `outpost demo`, killed at the end of the test.
struct Demo {
    folder: tempfile::TempDir,
    process: Child,
    address: String,
}

impl Demo {
    fn start() -> Demo {
        let folder = tempfile::tempdir().unwrap();
        let process = launch(folder.path(), "127.0.0.1:0");
        let mut demo = Demo { folder, process, address: String::new() };
        demo.address = demo.told_address();
        demo
    }

    /// As it prints it, which it does once the page is served.
    fn told_address(&self) -> String {
        let until = Instant::now() + DEADLINE;
        loop {
            let text = std::fs::read_to_string(self.folder.path().join(SAID)).unwrap();
            if let Some((address, _)) = text.split_once("http://").and_then(|(_, rest)| rest.split_once('/')) {
                return address.to_owned();
            }
            assert!(Instant::now() < until, "the demo does not say where its page is: {text:?}");
            std::thread::sleep(POLL);
        }
    }

    fn page(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// As a power cut would: nothing is told to anybody.
    fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// At the same address, on the same data.
    fn start_again(&mut self) {
        self.process = launch(self.folder.path(), &self.address);
        assert_eq!(self.told_address(), self.address);
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[expect(clippy::disallowed_methods, reason = "the program under test")]
fn launch(folder: &std::path::Path, listen: &str) -> Child {
    Command::new(env!("CARGO_BIN_EXE_outpost"))
        .args(["demo", "--listen", listen, "--data"])
        .arg(folder.join("data"))
        .stdout(File::create(folder.join(SAID)).unwrap())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap()
}

/// Each ticket of the list that is drawn: number, stage, lamp as a shape and in words, time, severity.
const ROWS: &str = "[...document.querySelectorAll('[role=option][data-no]')].map(row => ({
    no: Number(row.dataset.no), stage: row.dataset.stage,
    lamp: ['green', 'yellow', 'red', 'off'].find(lamp => row.classList.contains(lamp)),
    colour: row.querySelector('.lamp .colour').textContent, left: row.querySelector('.lamp .left').textContent,
    severity: row.querySelector('.severity').textContent }))";

/// How many there are, drawn or not.
const N_ROWS: &str = "Number(document.querySelector('[role=option][data-no]')?.ariaSetSize ?? 0)";

const PICTURE: &str =
    "[...document.querySelectorAll('.evidence img')].some(image => image.complete && image.naturalWidth >= 320)";

/// axe-core, as `npm ci` left it.
const AXE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/console/node_modules/axe-core/axe.min.js");

fn rows(browser: &mut Chromium) -> Vec<Value> {
    browser.value(ROWS).as_array().unwrap().clone()
}

/// Waits until the ticket is the one that the detail shows, with all that the gateway says of it.
fn wait_for_detail(browser: &mut Chromium, no: &Value) {
    browser.wait_for(&format!(
        "document.querySelector('.detail')?.dataset.no === '{no}' && document.querySelector('.journal li') !== null"
    ));
}

fn choose(browser: &mut Chromium, no: &Value) {
    browser.value(&format!("document.querySelector('[role=option][data-no=\"{no}\"]').click()"));
    wait_for_detail(browser, no);
}

/// Writes into the filter, without taking the focus.
fn find(words: &str) -> String {
    format!(
        "(find => {{ find.value = '{words}'; find.dispatchEvent(new Event('input')); return true; }})(document.getElementById('find'))"
    )
}

/// Nothing serious that axe-core finds.
pub(crate) fn assert_accessible(browser: &mut Chromium, what: &str) {
    let axe = std::fs::read_to_string(AXE).expect("axe-core is not there: `make console`");
    browser.value(&format!("{axe};\ntrue"));
    let found = browser.value(
        "axe.run().then(said => said.violations.filter(one => ['serious', 'critical'].includes(one.impact))
            .map(one => one.id + ': ' + one.nodes.map(node => node.target.join(' ') + ' ' + node.failureSummary).join('; ')))",
    );
    assert_eq!(found, json!([]), "{what}");
}

#[test]
fn the_page_shows_tickets_with_lamp_severity_and_a_picture_that_loaded() {
    let demo = Demo::start();
    let mut browser = Chromium::start("zh-CN");
    browser.open(&demo.page());
    browser.wait_for(&format!("{N_ROWS} >= 3"));
    let rows = rows(&mut browser);
    let mut has_picture = false;
    for row in &rows {
        let text = |key: &str| row[key].as_str().unwrap();
        let lamps = [("green", "绿灯", "剩余 "), ("yellow", "黄灯", "剩余 "), ("red", "红灯", "超时 ")];
        let lamp = lamps.iter().find(|(lamp, _, _)| *lamp == text("lamp")).unwrap_or_else(|| panic!("{row}"));
        assert!(text("colour") == lamp.1 && text("left").starts_with(lamp.2), "{row}");
        let severities = ["▮▯▯▯一般", "▮▮▯▯较大", "▮▮▮▯重大", "▮▮▮▮特别重大"];
        assert!(severities.contains(&text("severity")), "{row}");
        choose(&mut browser, &row["no"]);
        // What the table opens to a report: accept, refuse, solve, merge, supervise, escalate, hand down; and dispatch, at
        // once, where it is an emergency.
        let n_moves = 7 + u64::from(text("severity").ends_with("特别重大"));
        let buttons = browser.value("document.querySelectorAll('.detail .moves button').length");
        assert_eq!((text("stage"), buttons), ("reported", json!(n_moves)), "{row}");
        if browser.value("document.querySelector('.evidence .snapshot') !== null") == json!(true) {
            browser.wait_for(PICTURE);
            has_picture = true;
        }
    }
    assert!(has_picture, "none of {} tickets has a picture", rows.len());
    let numbers: Vec<u64> = rows.iter().map(|row| row["no"].as_u64().unwrap()).collect();
    assert!(numbers.is_sorted_by(|a, b| a > b), "newest first: {numbers:?}");
    // The count in the header is that of the rows, and the stream alone brings the next ticket.
    browser.wait_for(&format!("document.querySelector('#counts').textContent.startsWith('未结 ' + {N_ROWS})"));
    let n = browser.value(N_ROWS);
    browser.wait_for(&format!("{N_ROWS} > {n}"));
    let elsewhere =
        "performance.getEntriesByType('resource').filter(e => !e.name.startsWith(location.origin + '/')).length";
    assert_eq!(browser.value(elsewhere), json!(0), "the page loads something from elsewhere");
    assert_eq!(browser.complaints, [] as [String; 0]);
}

#[test]
fn an_operator_works_by_keyboard_and_sees_the_gateway_go_and_come_back() {
    let mut demo = Demo::start();
    let mut browser = Chromium::start("en-US");
    browser.open(&demo.page());
    browser.wait_for("document.querySelector('[data-no=\"2\"]') !== null");
    let stage = |stage: &str| format!("document.querySelector('.detail').dataset.stage === '{stage}'");
    let press = |browser: &mut Chromium, key: &str| {
        browser.press(key, u32::from(key.to_ascii_uppercase().as_bytes()[0]), key);
    };

    // The newest with the first `j`, the oldest with as many as there are.
    press(&mut browser, "j");
    browser.wait_for("document.querySelector('.detail')?.dataset.no > 1");
    for _ in 0..50 {
        press(&mut browser, "j");
    }
    wait_for_detail(&mut browser, &json!(1));
    assert_eq!(browser.value("location.search"), json!("?ticket=1"), "what is looked at is in the address");
    press(&mut browser, "k");
    wait_for_detail(&mut browser, &json!(2));
    press(&mut browser, "j");
    wait_for_detail(&mut browser, &json!(1));

    // So few that all are drawn, however many come.
    browser.value(&find("T-1"));
    press(&mut browser, "a");
    browser.wait_for(&stage("accepted"));
    browser.wait_for("document.querySelector('[role=option][data-no=\"1\"]').dataset.stage === 'accepted'");
    // What is asked of a ticket is asked once: the next move waits for the answer.
    let is_answered = "document.querySelector('.moves').getAttribute('aria-busy') === 'false'";
    browser.wait_for(is_answered);
    browser.value("document.querySelector('[data-move=file]').focus()");
    browser.press("Enter", 13, "\r");
    browser.wait_for(&stage("filed"));
    browser.wait_for("document.activeElement.closest('.detail') !== null");
    browser.wait_for(is_answered);
    press(&mut browser, "d");
    browser.wait_for("document.getElementById('ask').open");
    browser.write("Patrol <b>3</b>");
    browser.press("Enter", 13, "\r");
    browser.wait_for(&stage("dispatched"));
    browser.wait_for("document.querySelector('.facts').textContent.includes('Patrol <b>3</b>')");
    assert_eq!(browser.complaints, [] as [String; 0]);

    demo.kill();
    let is_stale = "document.querySelector('.page').classList.contains('stale') && document.getElementById('stale').textContent.length > 0";
    browser.wait_for(is_stale);
    // What is asked of a gateway that is away is not shown as done.
    browser.value("document.querySelector('[data-move=sign]').click()");
    browser.wait_for("document.getElementById('fault').textContent.startsWith('The gateway did not answer')");
    assert_eq!(browser.value(&stage("dispatched")), json!(true));

    demo.start_again();
    browser.wait_for(&format!("!({is_stale})"));
    browser.wait_for(&stage("dispatched"));
    browser.value("document.querySelector('[data-move=sign]').click()");
    browser.wait_for(&stage("signed"));
    browser.wait_for("getComputedStyle(document.getElementById('fault')).display === 'none'");
    // Part of another one: the row goes, and comes back among the closed ones.
    browser.value("document.querySelector('[data-move=merge]').click()");
    browser.wait_for("document.getElementById('ask').open");
    browser.write("T-2");
    browser.press("Enter", 13, "\r");
    browser.wait_for("document.querySelector('[role=option][data-no=\"1\"]') === null");
    browser.wait_for(&stage("merged"));
    browser.value("document.getElementById('closed').click()");
    browser.wait_for("document.querySelector('[role=option][data-no=\"1\"]')?.classList.contains('off')");
    let exceptions = browser.complaints.iter().filter(|complaint| complaint.contains("exceptionDetails"));
    assert_eq!(exceptions.count(), 0, "{:?}", browser.complaints);
}

#[test]
fn the_address_holds_what_is_seen_and_silences_are_seen_everywhere() {
    let demo = Demo::start();
    let mut browser = Chromium::start("en-US");
    browser.open(&demo.page());
    browser.wait_for("document.querySelector('[data-no=\"1\"]') !== null");
    browser.open(&format!("{}?ticket=1&find=T-1&lang=zh&theme=light", demo.page()));
    wait_for_detail(&mut browser, &json!(1));
    assert_eq!(
        browser.value("[document.documentElement.lang, document.documentElement.dataset.theme]"),
        json!(["zh-CN", "light"])
    );
    browser.wait_for("document.getElementById('find').value === 'T-1'");
    browser.value("document.getElementById('lang').click()");
    browser.wait_for("document.documentElement.lang === 'en' && location.search.includes('lang=en')");
    // Found by nothing: said so, and the ticket that the address names is still shown.
    browser.value(&find("nothing at all"));
    browser.wait_for("document.querySelector('.list .empty')?.textContent.includes('No ticket matches')");
    wait_for_detail(&mut browser, &json!(1));

    browser.open(&format!("{}?view=silences", demo.page()));
    browser.wait_for("document.querySelector('[name=reason]') !== null");
    for (name, text) in [("source", "office/+"), ("reason", "works on the line")] {
        browser.value(&format!("document.querySelector('[name={name}]').focus()"));
        browser.write(text);
    }
    browser.press("Enter", 13, "\r");
    browser.wait_for("document.querySelector('[data-silence]')?.textContent.includes('works on the line')");
    browser.value("document.querySelector('[data-view=tickets]').click()");
    browser.wait_for("document.getElementById('muted')?.textContent.startsWith('Silences 1 · ')");
    browser.value("document.getElementById('muted').click()");
    browser.wait_for("document.querySelector('[data-silence] button') !== null");
    browser.value("document.querySelector('[data-silence] button').click()");
    browser.wait_for("document.querySelector('[data-silence]') === null && document.getElementById('muted') === null");
    assert_eq!(browser.complaints, [] as [String; 0]);
}

#[test]
fn the_map_shows_fences_sources_and_tickets_of_this_gateway_only() {
    let demo = Demo::start();
    let mut browser = Chromium::start("en-US");
    browser.open(&demo.page());
    let shown =
        |what: &str, least: u64| format!("Number(document.querySelector('div.map')?.dataset.{what}) >= {least}");
    browser.wait_for("document.querySelector('div.map')?.dataset.ready === 'true'");
    browser.wait_for(&shown("fences", 2));
    // The camera's place comes from the configuration, the bus says where it is.
    browser.wait_for(&shown("sources", 2));
    browser.wait_for(&shown("tickets", 1));
    let elsewhere =
        "performance.getEntriesByType('resource').filter(e => !e.name.startsWith(location.origin + '/')).length";
    assert_eq!(browser.value(elsewhere), json!(0), "the map asks somebody else");
    browser.value("document.querySelector('.map-toggle').click()");
    browser.wait_for("document.querySelector('.map') === null && location.search.includes('map=0')");
    assert_eq!(browser.complaints, [] as [String; 0]);
}

#[test]
fn without_webgl_places_are_listed_and_chosen() {
    let demo = Demo::start();
    let mut browser = Chromium::start_with("en-US", &["--disable-3d-apis"]);
    browser.open(&demo.page());
    browser.wait_for("document.querySelector('.places')?.textContent.includes('has no WebGL')");
    browser.wait_for("document.querySelector('.places')?.textContent.includes('cam:hall')");
    browser.wait_for("document.querySelector('.places button') !== null");
    browser.value("document.querySelector('.places button').click()");
    browser.wait_for("document.querySelector('.detail')?.dataset.no && location.search.includes('ticket=')");
}

#[test]
fn no_view_has_a_serious_fault_of_accessibility() {
    let demo = Demo::start();
    let mut browser = Chromium::start("en-US");
    for theme in ["dark", "light"] {
        for (query, is_there) in VIEWS {
            browser.open(&format!("{}?theme={theme}&lang=en&{query}", demo.page()));
            browser.wait_for(is_there);
            assert_accessible(&mut browser, &format!("{theme} {query}"));
        }
        browser.press("?", 191, "?");
        browser.wait_for("document.getElementById('help').open");
        assert_accessible(&mut browser, &format!("{theme} help"));
    }
    assert_eq!(browser.complaints, [] as [String; 0]);
}

/// Each view's query, and what shows that it is there.
const VIEWS: &[(&str, &str)] = &[
    ("view=wall", "document.querySelector('[data-centre]') !== null && document.querySelector('.worst li') !== null"),
    ("view=silences", "document.querySelector('[name=reason]') !== null"),
    ("view=sources", "document.querySelector('[data-source=\"cam:hall\"]') !== null"),
    // The demo has no annex: its configuration is in the program.
    ("view=estate&part=rules", "document.querySelector('.estate .notice') !== null"),
    // The pictures that the view of tickets shows are looked at, too.
    ("view=audit", "document.querySelector('main.sheet') !== null"),
    (
        "ticket=1",
        "document.querySelector('.journal li') !== null && document.querySelector('[role=option][data-no]') !== null",
    ),
];
