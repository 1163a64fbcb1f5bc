//! A real Chromium (Debian package `chromium`), headless, spoken to over its debugging pipe: one page, asked by
//! expressions. Collects what the page's console complains of.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};

use base64::Engine;
use serde_json::{Value, json};

/// A page that does not come to show something within this time has failed.
const DEADLINE: Duration = Duration::from_secs(90);

const POLL: Duration = Duration::from_millis(100);

/// Messages that wait to be looked at.
const WAITING_MAX: usize = 4096;

/// As the console's own tests have it.
const AXE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/console/node_modules/axe-core/axe.min.js");

pub(crate) struct Chromium {
    process: Child,
    input: ChildStdin,
    messages: Receiver<Value>,
    session: Option<String>,
    n_calls: u64,
    /// Exceptions that nobody caught, and errors of the console.
    pub(crate) complaints: Vec<String>,
    _profile: tempfile::TempDir,
}

impl Chromium {
    /// An empty page in a browser of that language, with a profile of its own.
    pub(crate) fn start(language: &str) -> Chromium {
        Chromium::start_with(language, &[])
    }

    /// The same with further arguments.
    #[expect(clippy::disallowed_methods, reason = "the test's browser is another program")]
    pub(crate) fn start_with(language: &str, arguments: &[&str]) -> Chromium {
        let profile = tempfile::Builder::new().prefix("chromium").tempdir().unwrap();
        // Chromium reads commands from file descriptor 3 and answers on 4: the shell puts our pipes there.
        let mut process = Command::new("sh")
            .args(["-c", "exec chromium \"$@\" 3<&0 4>&1 </dev/null >/dev/null 2>&1", "sh"])
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"])
            .args(["--disable-component-update", "--disable-sync", "--window-size=1440,900"])
            .args(arguments)
            .args([format!("--lang={language}"), format!("--accept-lang={language}")])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .args(["--remote-debugging-pipe", "about:blank"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (input, mut output) = (process.stdin.take().unwrap(), BufReader::new(process.stdout.take().unwrap()));
        let (sender, messages) = sync_channel(WAITING_MAX);
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            while output.read_until(0, &mut bytes).is_ok_and(|n| n > 0) {
                bytes.pop();
                if sender.send(serde_json::from_slice(&bytes).unwrap()).is_err() {
                    return;
                }
                bytes.clear();
            }
        });
        let complaints = Vec::new();
        let mut browser =
            Chromium { process, input, messages, session: None, n_calls: 0, complaints, _profile: profile };
        let target = browser.call("Target.createTarget", json!({ "url": "about:blank" }));
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let session = browser.call("Target.attachToTarget", attach);
        browser.session = Some(session["sessionId"].as_str().unwrap().to_owned());
        browser.call("Runtime.enable", json!({}));
        browser.call("Log.enable", json!({}));
        browser
    }

    pub(crate) fn open(&mut self, url: &str) {
        let answer = self.call("Page.navigate", json!({ "url": url }));
        assert_eq!(answer["errorText"], Value::Null, "{url}");
    }

    /// What a JavaScript expression gives on the page.
    pub(crate) fn value(&mut self, expression: &str) -> Value {
        let asked = json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let answer = self.call("Runtime.evaluate", asked);
        assert_eq!(answer["exceptionDetails"], Value::Null, "{expression}");
        answer["result"]["value"].clone()
    }

    /// Asks again until the expression is true.
    pub(crate) fn wait_for(&mut self, expression: &str) {
        let until = Instant::now() + DEADLINE;
        while self.value(expression) != json!(true) {
            let page = || "document.body.innerText";
            assert!(Instant::now() < until, "never true: {expression}\n{}\n{:?}", self.value(page()), self.complaints);
            std::thread::sleep(POLL);
        }
    }

    /// The left button, at a place of the window in pixels.
    pub(crate) fn click(&mut self, x: f64, y: f64) {
        for (kind, n) in [("mouseMoved", 0), ("mousePressed", 1), ("mouseReleased", 1)] {
            let button = if n == 0 { "none" } else { "left" };
            let buttons = u8::from(kind == "mousePressed");
            let at = json!({ "type": kind, "x": x, "y": y, "button": button, "buttons": buttons, "clickCount": n });
            self.call("Input.dispatchMouseEvent", at);
        }
    }

    pub(crate) fn write(&mut self, text: &str) {
        self.call("Input.insertText", json!({ "text": text }));
    }

    /// A picture of the page for people to look at, where the environment variable OUTPOST_SCREENSHOTS names a folder for it.
    pub(crate) fn picture(&mut self, name: &str) {
        let Some(folder) = std::env::var_os("OUTPOST_SCREENSHOTS") else { return };
        let told = self.call("Page.captureScreenshot", json!({ "format": "png" }));
        let bytes = base64::engine::general_purpose::STANDARD.decode(told["data"].as_str().unwrap()).unwrap();
        std::fs::write(std::path::Path::new(&folder).join(format!("{name}.png")), bytes).unwrap();
    }

    pub(crate) fn call(&mut self, method: &str, parameters: Value) -> Value {
        self.n_calls += 1;
        let mut message = json!({ "id": self.n_calls, "method": method, "params": parameters });
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        let lacking = "chromium does not answer: is the package \"chromium\" installed?";
        write!(self.input, "{message}\0").expect(lacking);
        self.input.flush().expect(lacking);
        loop {
            let answer = self.messages.recv_timeout(DEADLINE).expect(lacking);
            if answer["id"] == json!(self.n_calls) {
                assert_eq!(answer["error"], Value::Null, "{method}");
                return answer["result"].clone();
            }
            self.listen(&answer);
        }
    }

    fn listen(&mut self, told: &Value) {
        let parameters = &told["params"];
        let is_complaint = match told["method"].as_str() {
            Some("Runtime.exceptionThrown") => true,
            Some("Log.entryAdded") => parameters["entry"]["level"] == "error",
            Some("Runtime.consoleAPICalled") => parameters["type"] == "error",
            _ => false,
        };
        if is_complaint {
            self.complaints.push(parameters.to_string());
        }
    }
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

impl Drop for Chromium {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
