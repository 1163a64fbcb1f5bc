//! What the tests of the API ask: its router on a real store and a real Desk; only the sources are lacking.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Request as HttpRequest, StatusCode};
use futures::StreamExt;
use outpost_detectors::observation::{Fact, Observation, Position};
use outpost_fences::{FenceSet, geojson};
use serde_json::Value;
use tower::ServiceExt;

use super::super::*;
use crate::config::{Config, Severity};
use crate::dispatch::centres::Centres;
use crate::dispatch::roster::Roster;
use crate::dispatch::{Desk, Effect, Kept};
use crate::nouns::{Alert, AlertKey, Confidence, Figure, Fix, Located, Place, Unseen, Why};
use crate::pipeline::errands;
use crate::pipeline::sources::{Last, Overview, SourceView};
use crate::pipeline::trail::{Series, Trace};
use crate::store::{Archive, Commit, Store};
use crate::telemetry::now_ms;

/// One camera has a picture.
struct Stills;

impl Views for Stills {
    fn last(&self, source: &str) -> Option<(i64, Vec<u8>)> {
        (source == "cam:gate").then(|| (1_767_225_600_000, b"JPEG".to_vec()))
    }

    fn live(&self, source: &str) -> Result<Showing, Unseen> {
        match source {
            "cam:gate" => {
                let boxes = futures::stream::iter([b"head".as_slice(), b"pictures"].map(Bytes::from_static));
                Ok(Showing { mime: "video/mp4; codecs=\"avc1.640028\"".into(), boxes: boxes.boxed() })
            }
            "cam:masked" => Err(Unseen::Masked),
            "cam:loved" => Err(Unseen::Full(2)),
            _ => Err(Unseen::Unknown),
        }
    }

    fn sendings(&self) -> HashMap<Arc<str>, Sending> {
        HashMap::from([("cam:gate".into(), Sending { drift_ms: Some(-40), n_shed: 7 })])
    }
}

pub(super) const DEADLINE: Duration = Duration::from_secs(20);

const CONFIG: &str = r#"
[[brokers]]
id = "town"
host = "127.0.0.1"

[[feeds]]
id = "gas"
broker = "town"
topics = ["tunnel/+/ch4"]
format = { kind = "number", metric = "ch4" }

[[rules]]
id = "gas"
name = "管廊甲烷超限"
sources = ["tunnel/+/ch4"]
detect = { kind = "threshold", metric = "ch4", above = 1.0 }
severity = "severe"
category = "underground/gas"
flapping = { n = 5, within = "1h" }
active = { calendar = "town", windows = ["daily"] }

[desk]
private = ["private/#"]

[[calendars]]
id = "town"

[[sources]]
id = "thermal/well/3"
name = "三号井"
place = [106.05, 29.85]

[[cameras]]
id = "gate"
url = "rtsp://192.0.2.1/"

[[centres]]
id = "district"
name = "区"
level = "district"

[[centres]]
id = "east"
level = "town"
parent = "district"
sources = ["tunnel/#"]

[[centres]]
id = "west"
level = "town"
parent = "district"
"#;

const FENCE: &str = r#"{"type": "Feature", "id": "school", "properties": {}, "geometry":
    {"type": "Polygon", "coordinates": [[[106, 29], [106.1, 29], [106.1, 29.1], [106, 29]]]}}"#;

#[derive(Default)]
pub(super) struct Brokers {
    pub(super) down: AtomicBool,
    pub(super) n_refreshed: Mutex<u64>,
}

impl Readiness for Brokers {
    fn sessions(&self) -> Vec<SessionHealth> {
        let up = !self.down.load(Ordering::Relaxed);
        vec![SessionHealth { id: "town".into(), up, state: if up { "live" } else { "down: refused" }.into() }]
    }

    fn refresh(&self) {
        *self.n_refreshed.lock().unwrap() += 1;
    }
}

/// What the pipeline does with operators' commands, without its sources.
struct Office {
    desk: Desk,
    store: Store,
    changed: watch::Sender<u64>,
}

impl Office {
    fn commit(&mut self, mut commit: Commit, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Ticket(ticket) => commit.tickets.push(ticket),
                Effect::Journal(entry) => commit.journal.push(entry),
                Effect::Member { alert, ticket } => commit.members.push((alert, ticket)),
                Effect::Adopt { from, into } => commit.adopted.push((from, into)),
                Effect::Withhold { alert, by, .. } => commit.withheld.push((alert, Some(by))),
                Effect::Release(alert) => commit.withheld.push((alert, None)),
                Effect::Silence(silence) => commit.silences.push(silence),
                Effect::Work(order) => commit.works.push(order),
                Effect::Fix { officer, fix } => commit.fixes.push((officer, fix)),
                Effect::Duty { officer, said } => commit.duties.push((officer, said)),
                Effect::File { no, file } => commit.files.push((no, file)),
                Effect::HandOver { from, to } => commit.handed_over.push((from, to)),
                Effect::Finding { rule, is_true } => commit.findings.push((rule, is_true)),
                Effect::Passage(passage) => commit.passages.push(passage),
                Effect::Class(change) => commit.classes.push(change),
                Effect::Tell { .. } => {}
            }
        }
        self.store.commit(&commit).unwrap();
        self.changed.send_modify(|n_changes| *n_changes += 1);
    }

    fn open(&mut self, alert: Alert, jpeg: Option<&[u8]>) {
        let mut effects = Vec::new();
        self.desk.alert_opened(&alert, now_ms(), &mut effects);
        let mut commit = Commit::default();
        commit.opened.push((alert, jpeg.map(<[u8]>::to_vec)));
        self.commit(commit, effects);
    }

    fn answer(&mut self, ask: Ask) {
        match ask {
            Ask::Command(command, reply) => {
                let mut effects = Vec::new();
                let answer = self.desk.command(&command, now_ms(), &mut effects);
                self.commit(Commit::default(), effects);
                let _ = reply.send(answer);
            }
            Ask::Silence(asked, reply) => {
                let mut effects = Vec::new();
                let answer = self.desk.silence(&asked, now_ms(), &mut effects);
                self.commit(Commit::default(), effects);
                let _ = reply.send(answer);
            }
            Ask::Work(asked, reply) => {
                let mut effects = Vec::new();
                let answer = self.desk.work(&asked, now_ms(), &mut effects);
                self.commit(Commit::default(), effects);
                let _ = reply.send(answer);
            }
            Ask::Field(reply) => {
                let _ = reply.send(self.desk.field());
            }
            Ask::Class(asked, reply) => {
                let mut effects = Vec::new();
                let answer = self.desk.class_command(&asked, now_ms(), &mut effects);
                self.commit(Commit::default(), effects);
                let _ = reply.send(answer);
            }
            Ask::Reports(reports, reply) => {
                let (mut effects, mut commit) = (Vec::new(), Commit::default());
                let answer =
                    crate::pipeline::reported::take(&reports, &mut self.desk, &self.store, &mut commit, &mut effects);
                self.commit(commit, effects);
                let _ = reply.send(answer);
            }
            Ask::Errand(errand, reply) => {
                let (mut effects, mut commit, mut observed) = (Vec::new(), Commit::default(), Vec::new());
                let mut office = errands::Office {
                    desk: &mut self.desk,
                    store: &self.store,
                    commit: &mut commit,
                    effects: &mut effects,
                };
                let answer = office.take(&errand, &mut observed);
                for Observation { source, at_ms, fact, .. } in observed {
                    let Fact::Position(Position { lon, lat, accuracy_m }) = fact else { panic!("{fact:?}") };
                    self.desk.located(&Located { source, fix: Fix { at_ms, lon, lat, accuracy_m } }, &mut effects);
                }
                self.commit(commit, effects);
                let _ = reply.send(answer);
            }
            Ask::Sources(reply) => {
                let last = Last::Reading { metric: "ch4".into(), value: 1.2, unit: Some("%LEL".into()) };
                let source =
                    SourceView { source: "tunnel/7/ch4".into(), n_observations: 3, last, ..SourceView::default() };
                let last = Last::Position { lon: 106.0, lat: 29.0 };
                let phone = SourceView { source: "gps/li".into(), n_observations: 1, last, ..SourceView::default() };
                let _ = reply.send(Overview { views: vec![phone, source], is_full: false });
            }
            Ask::Trace(_, (from_ms, to_ms), reply) => {
                let points = vec![(from_ms, 0.4), (to_ms, 1.2)];
                let series = vec![Series { metric: "ch4".into(), unit: Some("%LEL".into()), points }];
                let _ = reply.send(Trace { series, kept_from_ms: Some(from_ms) });
            }
            Ask::Reload(_, reply) => {
                let _ = reply.send(Ok(()));
            }
            Ask::Observe(_, reply) => {
                let _ = reply.send(());
            }
        }
    }
}

pub(super) fn alert(source: &str, since_at_ms: i64) -> Alert {
    let key = AlertKey { rule: "gas".into(), source: source.into(), fence: None };
    Alert {
        id: key.alert_id(since_at_ms, 1),
        key,
        name: "管廊甲烷超限".into(),
        severity: Severity::Severe,
        category: "underground/gas".into(),
        since_at_ms,
        opened_ms: since_at_ms,
        place: Place { name: Some("7 号舱".into()), point: Some((106.03, 29.81)), ..Place::default() },
        why: Why {
            text: "ch4 1.2 %LEL above 1".into(),
            figures: vec![Figure { name: "value".into(), value: 1.2, unit: Some("%LEL".into()) }],
        },
        snapshot: None,
        exhibits: Vec::new(),
        confidence: None,
        visible: None,
    }
}

pub(super) struct World {
    pub(super) router: Router,
    pub(super) context: Context,
    pub(super) brokers: Arc<Brokers>,
    _folder: tempfile::TempDir,
}

pub(super) struct Said {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) bytes: Bytes,
}

impl Said {
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|cause| panic!("{cause}: {:?}", self.bytes))
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Status and detail of a problem.
    pub(super) fn problem(&self) -> (u16, String) {
        let body = self.json();
        assert_eq!(self.header("content-type"), "application/problem+json", "{body}");
        assert_eq!(body["status"], self.status.as_u16());
        assert_eq!(body["title"], self.status.canonical_reason().unwrap());
        (self.status.as_u16(), body["detail"].as_str().unwrap().to_owned())
    }
}

impl World {
    /// Tickets T-1 to T-`n`; T-1 is a camera's, with a picture.
    pub(super) fn with(n_tickets: usize, change: impl FnOnce(&mut Context)) -> World {
        World::of(n_tickets, None, CONFIG, change)
    }

    /// The same with more in the configuration.
    pub(super) fn configured(n_tickets: usize, more: &str) -> World {
        World::of(n_tickets, None, &format!("{CONFIG}{more}"), |_| {})
    }

    /// The same of findings that nobody has looked at yet.
    pub(super) fn doubting(n_tickets: usize) -> World {
        World::of(n_tickets, Some(Confidence { share: 0.1, why: "dust looks alike".into() }), CONFIG, |_| {})
    }

    fn of(n_tickets: usize, confidence: Option<Confidence>, config: &str, change: impl FnOnce(&mut Context)) -> World {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), None).unwrap();
        let archive = Arc::new(Archive::of(&store).unwrap());
        let config: Config = toml::from_str(config).unwrap();
        let fences = FenceSet::new(geojson::parse(FENCE).fences);
        let (changed, changes) = watch::channel(0);
        let desk = Desk::restore(&config, Kept::default());
        let mut office = Office { desk, store, changed };
        for n in 1..=n_tickets {
            let source = if n == 1 { "cam:hall".to_owned() } else { format!("tunnel/{n}/ch4") };
            let alert = Alert { confidence: confidence.clone(), ..alert(&source, n as i64) };
            office.open(alert, (n == 1).then_some(b"\xff\xd8jpeg"));
        }
        let (asks, mut asked) = mpsc::channel(8);
        tokio::spawn(async move {
            while let Some(ask) = asked.recv().await {
                office.answer(ask);
            }
        });
        let health = Arc::new(Health::default());
        health.beat_ms.store(now_ms(), Ordering::Relaxed);
        health.store_ok.store(true, Ordering::Relaxed);
        let brokers = Arc::new(Brokers::default());
        let mut estate = Estate::new(&config, &fences);
        estate.grids = Arc::new(FenceSet::new(geojson::parse(FENCE).fences));
        let mut context = Context {
            reader: Arc::new(Reader::open(folder.path(), 2).unwrap()),
            archive,
            asks,
            changed: changes,
            health,
            metrics: Arc::new(Metrics::new()),
            readiness: brokers.clone(),
            estate: watch::channel(estate).1,
            edits: None,
            recent: None,
            views: Arc::new(Stills),
            centres: Arc::new(Centres::new(&config)),
            roster: Arc::new(Roster::new(&config)),
            roads: None,
            report: Arc::new(crate::report::Basis::new(&config)),
            scoring: Arc::new(crate::dispatch::scores::Scoring::new(&config)),
            classes: Arc::new(config.desk.classes.clone()),
            district: Arc::default(),
            open311: Some(Arc::new(super::outside::open311())),
            mappings: Arc::new(super::outside::mappings()),
            lights: watch::channel(Vec::new()).1,
            token: None,
            stop: CancellationToken::new(),
        };
        change(&mut context);
        World { router: router(context.clone()), context, brokers, _folder: folder }
    }

    pub(super) fn new(n_tickets: usize) -> World {
        World::with(n_tickets, |_| {})
    }

    pub(super) async fn response(&self, request: HttpRequest<Body>) -> Response {
        tokio::time::timeout(DEADLINE, self.router.clone().oneshot(request)).await.unwrap().unwrap()
    }

    pub(super) async fn ask(&self, request: HttpRequest<Body>) -> Said {
        let response = self.response(request).await;
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = tokio::time::timeout(DEADLINE, axum::body::to_bytes(response.into_body(), 1 << 20)).await;
        Said { status, headers, bytes: bytes.unwrap().unwrap() }
    }

    pub(super) async fn get(&self, path: &str) -> Said {
        self.ask(HttpRequest::get(path).body(Body::empty()).unwrap()).await
    }

    pub(super) async fn post(&self, path: &str, body: impl ToString) -> Said {
        let request = HttpRequest::post(path).header("content-type", "application/json");
        self.ask(request.body(Body::from(body.to_string())).unwrap()).await
    }

    pub(super) async fn post_table(&self, path: &str, table: &str) -> Said {
        let request = HttpRequest::post(path).header("content-type", "text/csv; charset=utf-8");
        self.ask(request.body(Body::from(table.to_owned())).unwrap()).await
    }

    pub(super) async fn upload(&self, path: &str, picture: Vec<u8>) -> Said {
        self.ask(HttpRequest::post(path).body(Body::from(picture)).unwrap()).await
    }

    /// The live stream, asked from `last` on.
    pub(super) async fn listen(&self, last: Option<&str>) -> Response {
        let mut request = HttpRequest::get("/api/v1/stream");
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let response = self.response(request.body(Body::empty()).unwrap()).await;
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        response
    }
}

/// The first `n` events of a stream, as text.
pub(super) async fn frames(response: Response, n: usize) -> Vec<String> {
    let frames = response.into_body().into_data_stream().take(n);
    let texts = frames.map(|frame| String::from_utf8(frame.unwrap().to_vec()).unwrap()).collect();
    tokio::time::timeout(DEADLINE, texts).await.unwrap()
}
