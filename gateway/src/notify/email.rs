//! A letter that people read, by SMTP (RFC 5321). Knows nothing of retries or the outbox.
//!
//! The `Message-ID` is made of the key, so that a letter which is sent again is the same one to its receivers, and all
//! letters of a ticket refer to one thread. A 4xx answer is passing, a 5xx one a refusal.

use std::error::Error as _;
use std::fmt::Write as _;
use std::time::Duration;

use lettre::message::{Mailbox, header};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};

use super::glance::Glance;
use super::{Fault, Letter, NotifierError, short};
use crate::config::{MailSecurity, Target};

/// Name that we greet servers with where ours does not matter (RFC 5321, 4.1.3).
const HELLO: ClientId = ClientId::Ipv4(std::net::Ipv4Addr::LOCALHOST);

pub struct Email {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    to: Vec<Mailbox>,
    shown: String,
    timeout: Duration,
}

impl Email {
    /// `timeout` bounds an attempt from its connect to the server's last answer.
    pub fn new(target: &Target) -> Result<Self, NotifierError> {
        let Target::Email { host, port, security, ca_file, username, password, from, to, timeout } = target else {
            return Err(NotifierError::Mail("is configured as something else".into()));
        };
        let fault = |what: String| NotifierError::Mail(what);
        let mailbox = |text: &String| text.parse().map_err(|error| fault(format!("address {text:?}: {error}")));
        // Only the first caller in the process installs; whoever came before brought a provider as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let tls = || {
            let mut parameters = TlsParameters::builder(host.clone());
            if let Some(file) = ca_file {
                let pem = std::fs::read(file).map_err(|cause| fault(format!("{}: {cause}", file.display())))?;
                let authority =
                    Certificate::from_pem(&pem).map_err(|cause| fault(format!("{}: {cause}", file.display())))?;
                parameters = parameters.add_root_certificate(authority);
            }
            parameters.build_rustls().map_err(|cause| fault(format!("TLS: {cause}")))
        };
        let tls = match security {
            MailSecurity::Starttls => Tls::Required(tls()?),
            MailSecurity::Tls => Tls::Wrapper(tls()?),
            MailSecurity::None => Tls::None,
        };
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host.as_str())
            .port(*port)
            .hello_name(HELLO)
            .timeout(Some(timeout.duration()))
            .tls(tls);
        if let (Some(username), Some(password)) = (username, password) {
            let password = password.read().map_err(|error| NotifierError::Secret(error.to_string()))?;
            builder = builder.credentials(Credentials::new(username.clone(), password));
        }
        Ok(Email {
            transport: builder.build(),
            from: mailbox(from)?,
            to: to.iter().map(mailbox).collect::<Result<_, _>>()?,
            shown: format!("smtp://{host}:{port}"),
            timeout: timeout.duration(),
        })
    }

    /// The server, without user and password.
    pub fn address(&self) -> &str {
        &self.shown
    }

    pub(super) async fn send(&self, letter: &Letter) -> Result<(), Fault> {
        let message = self.message(letter)?;
        match tokio::time::timeout(self.timeout, self.transport.send(message)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) if error.is_permanent() => Err(Fault::refused(reason(&error))),
            Ok(Err(error)) => Err(Fault::passing(reason(&error))),
            Err(_) => Err(Fault::passing("timed out")),
        }
    }

    fn message(&self, letter: &Letter) -> Result<Message, Fault> {
        let glance = Glance::read(&letter.data)?;
        let what = letter.kind.rsplit('.').next().unwrap_or_default();
        let place = glance.place.name.as_deref().unwrap_or(&glance.source);
        let subject = format!("[{}] {} {}: {place} ({what})", glance.severity, glance.id, glance.title);
        let mut builder = Message::builder()
            .from(self.from.clone())
            .subject(short(&subject))
            .date(std::time::UNIX_EPOCH + Duration::from_millis(letter.sent_ms.max(0).unsigned_abs()))
            .message_id(Some(id(&letter.key, &letter.source)))
            .header(header::ContentType::TEXT_PLAIN);
        for address in &self.to {
            builder = builder.to(address.clone());
        }
        let thread = letter.key.rsplit_once('/').map(|(ticket, _)| id(ticket, &letter.source));
        if let Some(thread) = thread {
            builder = builder.references(thread);
        }
        builder.body(text(&glance, what)).map_err(|error| Fault::refused(format!("no letter can be made: {error}")))
    }
}

/// `T-42/3` of `outpost/west` → `<T-42.3@west.outpost>`.
fn id(key: &str, source: &str) -> String {
    let domain: Vec<&str> = source.rsplit('/').collect();
    let clean = |text: &str| text.replace(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '.', ".");
    format!("<{}@{}>", clean(key), clean(&domain.join(".")))
}

fn text(glance: &Glance, what: &str) -> String {
    let mut out = String::new();
    let mut line = |name: &str, said: &str| {
        if !said.is_empty() {
            // Writing to a String cannot fail.
            let _ = writeln!(out, "{name}: {said}");
        }
    };
    line("ticket", &format!("{} {}", glance.id, glance.title));
    line("what", what);
    line("why", &glance.why);
    line("stage", &glance.stage);
    line("severity", &glance.severity);
    line("category", &glance.category);
    line("centre", &glance.centre);
    line("unit", glance.unit.as_deref().unwrap_or_default());
    line("place", glance.place.name.as_deref().unwrap_or_default());
    if let (Some(lon), Some(lat)) = (glance.place.lon, glance.place.lat) {
        line("position", &format!("{lat:.6}, {lon:.6} (latitude, longitude, WGS-84)"));
    }
    line("source", &glance.source);
    line("alerts", &glance.alerts.to_string());
    line("opened", &glance.opened);
    line("due", glance.due.as_deref().unwrap_or_default());
    out
}

/// What happened and its innermost cause; servers' answers are kept for operators.
fn reason(error: &lettre::transport::smtp::Error) -> String {
    let mut root: &dyn std::error::Error = error;
    while let Some(cause) = root.source() {
        root = cause;
    }
    match error.source() {
        Some(_) => format!("{error}: {root}"),
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_a_message_id_whatever_the_district_is_called() {
        assert_eq!(id("T-42/3", "outpost/west"), "<T-42.3@west.outpost>");
        assert_eq!(id("T-42/3", "outpost/a%20b%2F"), "<T-42.3@a.20b.2F.outpost>");
    }
}
