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

/// Each ticket of the page: number, lamp of the frame and in words, time, severity, stage.
const ROWS: &str = "[...document.querySelectorAll('article')].map(row => ({
    no: Number(row.dataset.no), stage: row.dataset.stage, lamp: row.className.split(' ')[0],
    colour: row.querySelector('.colour').textContent, left: row.querySelector('.left').textContent,
    severity: row.querySelector('.tag').textContent, buttons: row.querySelectorAll('button').length }))";

const PICTURE: &str =
    "[...document.querySelectorAll('article img')].some(image => image.complete && image.naturalWidth >= 320)";

fn rows(browser: &mut Chromium) -> Vec<Value> {
    browser.value(ROWS).as_array().unwrap().clone()
}

#[test]
fn the_page_shows_tickets_with_lamp_severity_and_a_picture_that_loaded() {
    let demo = Demo::start();
    let mut browser = Chromium::start("zh-CN");
    browser.open(&demo.page());
    browser.wait_for("document.querySelectorAll('article').length >= 3");
    browser.wait_for(PICTURE);
    let rows = rows(&mut browser);
    for row in &rows {
        let text = |key: &str| row[key].as_str().unwrap();
        let lamps = [("green", "绿灯", "剩余 "), ("yellow", "黄灯", "剩余 "), ("red", "红灯", "超时 ")];
        let lamp = lamps.iter().find(|(lamp, _, _)| *lamp == text("lamp")).unwrap_or_else(|| panic!("{row}"));
        assert!(text("colour") == lamp.1 && text("left").starts_with(lamp.2), "{row}");
        let severities = ["▮▯▯▯一般", "▮▮▯▯较大", "▮▮▮▯重大", "▮▮▮▮特别重大"];
        assert!(severities.contains(&text("severity")), "{row}");
        // What the table opens to a report: accept, refuse, solve, merge, supervise, escalate, hand down; and dispatch, at
        // once, where it is an emergency.
        let n_moves = 7 + u64::from(text("severity").ends_with("特别重大"));
        assert_eq!((text("stage"), &row["buttons"]), ("reported", &json!(n_moves)), "{row}");
    }
    let numbers: Vec<u64> = rows.iter().map(|row| row["no"].as_u64().unwrap()).collect();
    assert!(numbers.is_sorted_by(|a, b| a > b), "newest first: {numbers:?}");
    // The count in the header is that of the rows, and the stream alone brings the next ticket.
    browser.wait_for("document.querySelector('#counts b').textContent == document.querySelectorAll('article').length");
    browser.wait_for(&format!("document.querySelectorAll('article').length > {}", rows.len()));
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
    browser.wait_for("document.querySelector('article[data-no=\"1\"] [data-move=accept]') !== null");
    let first = |rest: &str| format!("document.querySelector('article[data-no=\"1\"] {rest}')");
    let stage = |stage: &str| format!("document.querySelector('article[data-no=\"1\"]').dataset.stage === '{stage}'");

    browser.value(&format!("{}.focus()", first("[data-move=accept]")));
    browser.press("Enter", 13, "\r");
    browser.wait_for(&stage("accepted"));
    let focused = "document.activeElement.closest('article')?.dataset.no ?? document.activeElement.tagName";
    assert_eq!(browser.value(focused), json!("1"), "the focus stays in the row");
    // As after a connection that broke, when the whole list is drawn again.
    browser.value("redraw()");
    assert_eq!(browser.value(focused), json!("1"), "the focus stays in the row of a list drawn again");

    browser.value(&format!("{}.click()", first("[data-move=file]")));
    browser.wait_for(&stage("filed"));
    browser.value(&format!("{}.focus()", first("[data-move=dispatch]")));
    browser.press("Enter", 13, "\r");
    browser.wait_for("document.getElementById('ask').open");
    browser.write("Patrol <b>3</b>");
    browser.press("Enter", 13, "\r");
    browser.wait_for(&stage("dispatched"));
    browser.wait_for(&format!("{}.textContent.includes('unit Patrol <b>3</b>')", first(".meta")));
    assert_eq!(browser.complaints, [] as [String; 0]);

    demo.kill();
    browser.wait_for("!document.getElementById('stale').hidden && document.body.classList.contains('stale')");
    // What is asked of a gateway that is away is not shown as done.
    browser.value(&format!("{}.click()", first("[data-move=sign]")));
    browser.wait_for("document.getElementById('fault').textContent.startsWith('The gateway did not answer')");
    assert_eq!(browser.value(&stage("dispatched")), json!(true));

    demo.start_again();
    browser.wait_for("document.getElementById('stale').hidden && !document.body.classList.contains('stale')");
    browser.wait_for(&stage("dispatched"));
    browser.value(&format!("{}.click()", first("[data-move=sign]")));
    browser.wait_for(&stage("signed"));
    browser.wait_for("document.getElementById('fault').hidden");
    // Part of another one: the row goes.
    browser.value(&format!("{}.click()", first("[data-move=merge]")));
    browser.wait_for("document.getElementById('ask').open");
    browser.write("T-2");
    browser.press("Enter", 13, "\r");
    browser.wait_for("document.querySelector('article[data-no=\"1\"]') === null");
    browser.value("document.getElementById('all').click()");
    browser.wait_for("document.querySelector('article[data-no=\"1\"]')?.className.startsWith('off')");
    let exceptions = browser.complaints.iter().filter(|complaint| complaint.contains("exceptionDetails"));
    assert_eq!(exceptions.count(), 0, "{:?}", browser.complaints);
}
