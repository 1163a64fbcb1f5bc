//! Logs to standard error, one line each: time, level, place, sentence, fields. Knows nothing of what is logged.
//!
//! Field values often come from outside (topics, answers of servers). Control characters in them are written as
//! escapes, so that nobody can forge a line.

use std::fmt::{self, Write as _};
use std::io::IsTerminal;

use tracing::Subscriber;
use tracing_subscriber::field::MakeExt;
use tracing_subscriber::filter::{EnvFilter, LevelFilter, ParseError};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::debug_fn;

/// Which logs are written, e.g. `info,outpost::notify=debug`.
pub const FILTER_VARIABLE: &str = "OUTPOST_LOG";

#[derive(Debug, thiserror::Error)]
pub enum LogsError {
    #[error("environment variable OUTPOST_LOG: {0}")]
    Filter(#[from] ParseError),
    #[error("environment variable OUTPOST_LOG is not UTF-8")]
    Encoding,
    #[error("logs were already started")]
    Twice,
}

/// Starts the logs of this process, once. `least` is what is written where the variable says nothing.
pub fn init(least: LevelFilter) -> Result<(), LogsError> {
    let filter = match std::env::var(FILTER_VARIABLE) {
        Ok(text) => text,
        Err(std::env::VarError::NotPresent) => String::new(),
        Err(std::env::VarError::NotUnicode(_)) => return Err(LogsError::Encoding),
    };
    let colour = if std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none() {
        Colour::On
    } else {
        Colour::Off
    };
    let subscriber = subscriber(&filter, least, std::io::stderr, colour)?;
    tracing::subscriber::set_global_default(subscriber).map_err(|_| LogsError::Twice)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Colour {
    On,
    Off,
}

fn subscriber<W>(
    filter: &str,
    least: LevelFilter,
    writer: W,
    colour: Colour,
) -> Result<impl Subscriber + Send + Sync, LogsError>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let filter = EnvFilter::builder().with_default_directive(least.into()).parse(filter)?;
    let fields = debug_fn(|writer, field, value| {
        if field.name() == "message" {
            write!(OneLine(writer), "{value:?}")
        } else {
            write!(writer, "{}=", field.name())?;
            write!(OneLine(writer), "{value:?}")
        }
    })
    .delimited(" ");
    Ok(tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(colour == Colour::On)
        .fmt_fields(fields)
        .with_writer(writer)
        .finish())
}

/// Passes text on with its control characters escaped.
struct OneLine<'a, W>(&'a mut W);

impl<W: fmt::Write> fmt::Write for OneLine<'_, W> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for character in text.chars() {
            if character.is_control() {
                write!(self.0, "{}", character.escape_default())?;
            } else {
                self.0.write_char(character)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Paper(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Paper {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl MakeWriter<'_> for Paper {
        type Writer = Paper;
        fn make_writer(&self) -> Paper {
            self.clone()
        }
    }

    fn logged(filter: &str, body: impl FnOnce()) -> String {
        let paper = Paper::default();
        tracing::subscriber::with_default(
            subscriber(filter, LevelFilter::INFO, paper.clone(), Colour::Off).unwrap(),
            body,
        );
        String::from_utf8(paper.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn a_log_is_one_line_with_its_fields() {
        let text = logged("", || tracing::info!(source = %"tunnel/7", attempt = 3, "reconnecting"));
        assert!(text.ends_with("reconnecting source=tunnel/7 attempt=3\n"), "{text:?}");
        assert!(text.contains(" INFO "), "{text:?}");
    }

    #[test]
    fn a_value_from_outside_cannot_forge_a_line() {
        let text = logged("", || tracing::warn!(topic = %"a\nERROR all is lost\x1b[2J", "payload rejected"));
        assert_eq!(text.lines().count(), 1, "{text:?}");
        assert!(text.contains(r"topic=a\nERROR all is lost\u{1b}[2J"), "{text:?}");
    }

    #[test]
    fn information_is_written_and_detail_is_not_unless_asked_for() {
        let speak = || {
            tracing::info!("a camera went live");
            tracing::debug!("a frame came");
        };
        assert_eq!(logged("", speak).lines().count(), 1);
        assert_eq!(logged("debug", speak).lines().count(), 2);
        assert_eq!(logged("error", speak).lines().count(), 0);
    }

    #[test]
    fn a_broken_filter_is_told_and_not_ignored() {
        let error = subscriber("outpost=loud", LevelFilter::INFO, io::stderr, Colour::Off).err().unwrap();
        assert!(error.to_string().starts_with("environment variable OUTPOST_LOG: "), "{error}");
    }
}
