//! Odd answers of cameras, one a file of `fixtures/rtsp/`: each walks through a whole session.

#![expect(clippy::unwrap_used, reason = "shared by tests: a failure here is a failed test")]

use std::collections::BTreeMap;
use std::sync::Arc;

use outpost::demo::camera::Clip;
use outpost_detectors::observation::{Fact, LinkState};

use crate::support_rtsp::{Scripted, Watched, camera, fixture, scripted};

/// One camera.
struct Oddity {
    name: String,
    /// How it is to be opened (`compat`), and what comes of that: "live", or "offline" and the reason.
    expect: Vec<(String, String)>,
    has_bare_line_feeds: bool,
    /// To each request in turn.
    answers: Vec<String>,
    /// What it sends before each picture.
    before_picture: Vec<u8>,
}

fn oddities() -> Vec<Oddity> {
    let folder = fixture("../rtsp");
    let mut oddities = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "txt") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let mut parts = text.split("--- ");
        let head = parts.next().unwrap();
        let (streams, answers): (Vec<_>, Vec<_>) =
            parts.map(|part| part.split_once('\n').unwrap()).partition(|(name, _)| *name == "PICTURE");
        let expect = head.lines().filter_map(|line| line.strip_prefix("expect")?.split_once(':'));
        let expect: Vec<_> = expect.map(|(with, what)| (with.trim().to_owned(), what.trim().to_owned())).collect();
        assert!(!expect.is_empty(), "{}: expects nothing", path.display());
        oddities.push(Oddity {
            name: path.file_stem().unwrap().to_str().unwrap().to_owned(),
            expect,
            has_bare_line_feeds: head.lines().any(|line| line == "lines: lf"),
            answers: answers.into_iter().map(|(_, text)| text.to_owned()).collect(),
            before_picture: streams.into_iter().flat_map(|(_, text)| bytes(text)).collect(),
        });
    }
    oddities.sort_by(|a, b| a.name.cmp(&b.name));
    oddities
}

/// Of pairs of hexadecimal digits, between which there may be blanks.
fn bytes(text: &str) -> Vec<u8> {
    let digits: Vec<char> = text.chars().filter(|c| !c.is_whitespace()).collect();
    let byte = |pair: &[char]| u8::from_str_radix(&String::from_iter(pair), 16).unwrap();
    digits.chunks(2).map(byte).collect()
}

impl Oddity {
    /// What goes over the wire in answer to a request.
    fn answer(&self, at: usize, cseq: &str, host: &str, sprop: &str) -> Option<String> {
        let text = self.answers.get(at)?.replace("{host}", host).replace("{sprop}", sprop);
        let (head, body) = text.split_once("\n\n").unwrap_or((&text, ""));
        let body = if self.has_bare_line_feeds { body.to_owned() } else { body.replace('\n', "\r\n") };
        let head = head.replace("{cseq}", cseq).replace("{len}", &body.len().to_string()).replace('\n', "\r\n");
        Some(format!("{head}\r\n\r\n{body}"))
    }
}

async fn play(mut peer: Scripted, oddity: Arc<Oddity>, clip: Arc<Clip>) {
    let host = peer.address();
    let sprop = clip.sdp().split_once("sprop-parameter-sets=").unwrap().1.lines().next().unwrap();
    for at in 0..oddity.answers.len().max(3) {
        let Some(cseq) = peer.hear().await else { return };
        let Some(answer) = oddity.answer(at, &cseq, &host, sprop) else { return peer.hang().await };
        peer.say(answer.as_bytes()).await;
    }
    let mut sequence = 0;
    for number in 0..clip.len() as u64 {
        let picture = clip.picture(number, &mut sequence, number as u32 * 9_000);
        if !peer.say(&oddity.before_picture).await || !peer.say(&picture).await {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    peer.hang().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn odd_answers_of_cameras_have_the_outcome_that_their_files_say() {
    let clip = Arc::new(Clip::from_annex_b(&std::fs::read(fixture("visitors.h264")).unwrap()).unwrap());
    let oddities: Vec<Arc<Oddity>> = oddities().into_iter().map(Arc::new).collect();
    assert!(oddities.len() >= 12, "only {} files", oddities.len());
    let (mut cameras, mut expected) = (Vec::new(), BTreeMap::new());
    for oddity in &oddities {
        for (with, what) in &oddity.expect {
            let (oddity, clip) = (oddity.clone(), clip.clone());
            let name = format!("{} {with}", oddity.name);
            let url = scripted(move |peer| play(peer, oddity.clone(), clip.clone())).await;
            let compat = if with.is_empty() { String::new() } else { format!("compat = {with}") };
            cameras.push(camera(&name, &url, &compat));
            expected.insert(format!("cam:{name}"), what.clone());
        }
    }
    let mut watched = Watched::start(&cameras);
    let mut outcomes = BTreeMap::new();
    while outcomes.len() < expected.len() {
        let (source, outcome) = watched
            .until(&format!("outcome beside {outcomes:?}"), |observation| {
                let outcome = match &observation.fact {
                    Fact::Picture(_) => "live".to_owned(),
                    Fact::Link(link) if link.state != LinkState::Connecting && link.state != LinkState::Live => {
                        let reason = link.reason.map_or("", |reason| reason.as_str());
                        format!("{} {reason}", link.state.as_str())
                    }
                    _ => return None,
                };
                Some((observation.source.to_string(), outcome))
            })
            .await;
        outcomes.entry(source).or_insert(outcome);
    }
    watched.stop().await;
    let wrong: Vec<String> = expected
        .iter()
        .filter(|(name, what)| outcomes[*name] != **what)
        .map(|(name, what)| format!("{name}: {} in place of {what}", outcomes[name]))
        .collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
