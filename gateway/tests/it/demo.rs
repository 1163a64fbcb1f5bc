//! `outpost demo --speed`: one ticket goes yellow and red, is supervised, goes a level up, is worked to its end and counted.

use std::fs::File;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Camera, broker and devices of the demo start first, and the ticket's limits run.
const DEADLINE: Duration = Duration::from_secs(120);

#[test]
#[expect(clippy::disallowed_methods, reason = "the program under test")]
fn a_ticket_of_the_demo_goes_through_the_whole_loop() {
    let folder = tempfile::tempdir().unwrap();
    let said = folder.path().join("said.txt");
    let mut demo = Command::new(env!("CARGO_BIN_EXE_outpost"))
        .args(["demo", "--listen", "127.0.0.1:0", "--speed", "1200", "--data"])
        .arg(folder.path().join("data"))
        .stdout(File::create(&said).unwrap())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap();
    let until = Instant::now() + DEADLINE;
    let text = loop {
        let text = std::fs::read_to_string(&said).unwrap();
        if text.contains("; closed ") || Instant::now() > until {
            break text;
        }
        std::thread::sleep(Duration::from_millis(100));
    };
    demo.kill().unwrap();
    demo.wait().unwrap();
    let counted =
        text.lines().find(|line| line.contains(" counted: ")).unwrap_or_else(|| panic!("not counted:\n{text}"));
    let no = counted.split_ascii_whitespace().nth(1).unwrap();
    let of_ticket = |what: &str| {
        let tells = |line: &&str| line.split_ascii_whitespace().nth(1) == Some(no) && line.contains(what);
        text.lines().position(|line| tells(&line)).unwrap_or_else(|| panic!("{no} {what}:\n{text}"))
    };
    let times = ["opened", "lamp turns yellow", "lamp turns red", "counted"].map(|what| {
        if what == "opened" {
            text.lines().position(|line| line.contains(&format!(" {no} "))).unwrap()
        } else {
            of_ticket(what)
        }
    });
    assert!(times.is_sorted(), "{times:?}\n{text}");
    for what in [
        "supervise: overdue",
        "escalate: to demo",
        "accept:",
        "dispatch: to 处置三组",
        "feed-back: done",
        "verify:",
        "rate: 4 of 5",
    ] {
        of_ticket(what);
    }
    assert!(counted.contains("\"escalated\":1") && counted.contains("score 4"), "{counted}");
    // It was late, and is counted so.
    let board = text.lines().find(|line| line.contains("; closed ")).unwrap();
    assert!(board.contains("演示区") && board.contains("closed 0 in time, 1 late"), "{board}");
}
