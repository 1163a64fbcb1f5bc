//! Letters by SMTP, to Debian's aiosmtpd on a free port of the loopback interface: in plain text, by STARTTLS with a password,
//! and refused.

use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;

use outpost::config::{District, Hears, MailSecurity, Receiver, Secret, Severity, Span, Target};
use outpost::notify::{Notifier, Progress, Worker};
use outpost::telemetry::clock;
use outpost::telemetry::metrics::ReceiverMetrics;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::support_out::{MemoryOutbox, eventually, until};

/// Prints its port, then a line of JSON for each letter. Addresses that begin with "nobody" are refused for good, those that
/// begin with "busy" for now. With a certificate it wants STARTTLS and the password "hunter2".
const SERVER: &str = r#"
import asyncio, email, email.policy, json, ssl, sys
from aiosmtpd.smtp import SMTP, AuthResult
class Box:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("nobody"): return "550 no such mailbox"
        if address.startswith("busy"): return "451 come again"
        envelope.rcpt_tos.append(address)
        return "250 OK"
    async def handle_DATA(self, server, session, envelope):
        letter = email.message_from_bytes(envelope.content, policy=email.policy.default)
        print(json.dumps({"from": envelope.mail_from, "to": envelope.rcpt_tos, "tls": session.ssl is not None,
            "user": bool(session.authenticated), "subject": letter["subject"], "id": letter["message-id"],
            "references": letter["references"], "text": letter.get_content()}), flush=True)
        return "250 OK"
def check(server, session, envelope, mechanism, data):
    return AuthResult(success=data.login == b"outpost" and data.password == b"hunter2")
options = {"enable_SMTPUTF8": True}
if len(sys.argv) > 1:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[1], sys.argv[2])
    options.update(tls_context=context, require_starttls=True, authenticator=check, auth_required=True)
async def main():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(Box(), loop=loop, hostname="localhost", **options), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
asyncio.run(main())
"#;

const TICKET: &str = r#"{"id":"T-42","title":"锅炉过热","stage":"reported","severity":"severe","category":"industry/overheat",
    "why":"95.5 Cel above 90 Cel","source":"boiler/1","centre":"east","place":{"name":"锅炉房","lon":106.03,"lat":29.84},
    "opened":"2026-01-02T03:04:05Z","alerts":1}"#;

struct Server {
    port: u16,
    letters: tokio::io::Lines<BufReader<tokio::process::ChildStdout>>,
    _child: Child,
}

impl Server {
    async fn start(arguments: &[&Path]) -> Server {
        let mut command = Command::new("/usr/bin/python3");
        command.arg("-c").arg(SERVER).args(arguments).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().expect("python3 starts");
        let mut letters = BufReader::new(child.stdout.take().unwrap()).lines();
        let port = letters.next_line().await.unwrap().expect("aiosmtpd runs: install python3-aiosmtpd");
        Server { port: port.parse().unwrap(), letters, _child: child }
    }

    async fn letter(&mut self) -> Value {
        let line = tokio::time::timeout(std::time::Duration::from_secs(60), self.letters.next_line()).await;
        serde_json::from_str(&line.expect("a letter comes").unwrap().unwrap()).unwrap()
    }

    fn target(&self, to: &str) -> Target {
        Target::Email {
            host: "localhost".into(),
            port: self.port,
            security: MailSecurity::None,
            ca_file: None,
            username: None,
            password: None,
            from: "outpost <outpost@district.example>".into(),
            to: vec![to.into()],
            timeout: Span::from_ms(30_000),
        }
    }
}

fn receiver(to: Target) -> Receiver {
    Receiver {
        id: "duty".into(),
        to,
        hears: Hears::All,
        from_severity: Severity::Minor,
        centres: Vec::new(),
        categories: Vec::new(),
        quiet: Vec::new(),
        breaks_quiet_from: Severity::Extreme,
        retry_max: Span::from_ms(300),
        give_up_after: Span::from_ms(3_600_000),
    }
}

fn push(outbox: &MemoryOutbox, key: &str) {
    outbox.push_data("duty", key, TICKET.into(), clock::now_ms());
}

/// Works until the token is cancelled.
fn work(receiver: &Receiver, outbox: &Arc<MemoryOutbox>, stop: &CancellationToken) -> Arc<Progress> {
    let notifier = Notifier::new(&receiver.to, |_| None).unwrap();
    let district = District { id: "west 1".into(), ..District::default() };
    let (wake, metrics) = (Arc::new(Notify::new()), ReceiverMetrics::default());
    let worker = Worker::new(&district, receiver, notifier, (outbox.clone(), outbox.clone()), wake, metrics);
    let progress = worker.progress();
    tokio::spawn(worker.run(stop.clone()));
    progress
}

#[tokio::test]
async fn a_delivery_is_a_letter_with_the_same_id_at_each_attempt() {
    let mut server = Server::start(&[]).await;
    let stop = CancellationToken::new();
    let outbox = Arc::new(MemoryOutbox::default());
    push(&outbox, "T-42/3");
    work(&receiver(server.target("Duty <duty@district.example>")), &outbox, &stop);
    let letter = server.letter().await;
    assert_eq!(letter["subject"], "[severe] T-42 锅炉过热: 锅炉房 (opened)");
    assert_eq!(
        (&letter["from"], &letter["to"][0]),
        (&"outpost@district.example".into(), &"duty@district.example".into())
    );
    assert_eq!(letter["id"], "<T-42.3@west.201.outpost>");
    assert_eq!(letter["references"], "<T-42@west.201.outpost>");
    let text = letter["text"].as_str().unwrap();
    assert!(text.contains("why: 95.5 Cel above 90 Cel") && text.contains("29.840000, 106.030000"), "{text}");
    until("the letter leaves the outbox", || outbox.n_waiting() == 0).await;
    stop.cancel();
}

#[tokio::test]
async fn a_letter_goes_by_starttls_with_a_password_and_not_without() {
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    let mut openssl = Command::new("openssl");
    openssl.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]);
    openssl.args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]);
    // An authority that signed itself is no certificate of a server, as webpki sees it.
    openssl.args(["-addext", "basicConstraints=critical,CA:FALSE", "-keyout"]).arg(&key).arg("-out").arg(&certificate);
    assert!(openssl.stderr(Stdio::null()).status().await.unwrap().success(), "openssl makes a certificate");
    std::fs::write(folder.path().join("password"), "hunter2\n").unwrap();
    let mut server = Server::start(&[&certificate, &key]).await;
    let private = |server: &Server, ca: bool| {
        let mut target = server.target("duty@district.example");
        if let Target::Email { security, ca_file, username, password, .. } = &mut target {
            *security = MailSecurity::Starttls;
            *ca_file = ca.then(|| certificate.clone());
            *username = Some("outpost".into());
            *password = Some(Secret::File(folder.path().join("password")));
        }
        target
    };
    let stop = CancellationToken::new();
    let strangers = Arc::new(MemoryOutbox::default());
    push(&strangers, "T-42/1");
    let progress = work(&receiver(private(&server, false)), &strangers, &stop);
    let told = eventually("a refusal", async || progress.status().error).await;
    assert!(!told.contains("hunter2"), "{told}");
    assert!(strangers.n_waiting() == 1, "an unknown server has no letter");

    let outbox = Arc::new(MemoryOutbox::default());
    push(&outbox, "T-42/2");
    work(&receiver(private(&server, true)), &outbox, &stop);
    let letter = server.letter().await;
    assert_eq!((&letter["tls"], &letter["user"]), (&true.into(), &true.into()));
    assert_eq!(letter["id"], "<T-42.2@west.201.outpost>");
    stop.cancel();
}

#[tokio::test]
async fn a_server_that_refuses_keeps_the_letter_in_the_outbox() {
    let server = Server::start(&[]).await;
    let stop = CancellationToken::new();
    for (address, words) in [("nobody@district.example", "550"), ("busy@district.example", "451")] {
        let outbox = Arc::new(MemoryOutbox::default());
        push(&outbox, "T-42/3");
        let progress = work(&receiver(server.target(address)), &outbox, &stop);
        let told = eventually("a refusal", async || progress.status().error).await;
        assert!(told.contains(words), "{told}");
        assert_eq!(outbox.n_waiting(), 1);
    }
    stop.cancel();
}
