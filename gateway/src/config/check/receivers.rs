//! What must hold of receivers and escalations: that they reach somebody, on a calendar that there is.

use super::Outside;
use super::calendars::check_windows;
use super::desk::check_pattern;
use super::look::Look;
use super::parts::{check_host, check_url};
use super::tree::Path;
use crate::config::{Config, Escalation, MailSecurity, Receiver, TOPIC_WORDS, Target};

/// Entries of a receiver's lists.
const ENTRIES_MAX: usize = 1_000;
/// Mail addresses of one receiver.
const ADDRESSES_MAX: usize = 100;
const STEPS_MAX: usize = 32;

pub(super) fn check(look: &mut Look<'_>, config: &Config) {
    let receivers = &config.receivers;
    let paths: Vec<_> = (0..receivers.len()).map(|i| look.shape.origin("receivers", i)).collect();
    look.check_ids(paths.iter().cloned().zip(receivers.iter().map(|receiver| receiver.id.as_str())));
    for (at, receiver) in paths.iter().zip(receivers) {
        look.check_positive(&at.key("retry_max"), receiver.retry_max);
        look.check_positive(&at.key("give_up_after"), receiver.give_up_after);
        check_whom(look, at, receiver, config);
        check_target(look, &at.key("to"), &receiver.to);
    }
    let at = Path::default().key("desk").key("escalations");
    let escalations = &config.desk.escalations;
    look.check_within(&at, escalations.len(), 0, ENTRIES_MAX);
    let paths: Vec<_> = (0..escalations.len()).map(|i| at.index(i)).collect();
    look.check_ids(paths.iter().cloned().zip(escalations.iter().map(|escalation| escalation.id.as_str())));
    for (at, escalation) in paths.iter().zip(escalations) {
        check_escalation(look, at, escalation);
    }
}

fn check_whom(look: &mut Look<'_>, at: &Path, receiver: &Receiver, config: &Config) {
    let lists = [
        ("centres", receiver.centres.len()),
        ("categories", receiver.categories.len()),
        ("quiet", receiver.quiet.len()),
    ];
    for (key, n) in lists {
        look.check_within(&at.key(key), n, 0, ENTRIES_MAX);
    }
    for (i, centre) in receiver.centres.iter().enumerate() {
        look.check_reference(&at.key("centres").index(i), "centre", centre, "centres");
    }
    for (i, category) in receiver.categories.iter().enumerate() {
        check_pattern(look, &at.key("categories").index(i), category);
    }
    if !receiver.quiet.is_empty() {
        check_windows(look, &at.key("quiet"), &receiver.quiet);
        if config.desk.calendar.is_none() {
            let hint = Some("desk.calendar names an entry of [[calendars]]".to_owned());
            look.error_hint(&at.key("quiet"), "quiet hours are those of the desk's calendar, and it has none", hint);
        }
    }
}

fn check_target(look: &mut Look<'_>, to: &Path, target: &Target) {
    match target {
        Target::Webhook { url, secret, timeout, body: _ } => {
            check_url(look, &to.key("url"), url, &["http", "https"]);
            look.check_secret(&to.key("secret"), secret.as_ref());
            look.check_positive(&to.key("timeout"), *timeout);
        }
        Target::Mqtt { broker, topic, body: _ } => {
            look.check_reference(&to.key("broker"), "broker", broker, "brokers");
            check_topic(look, &to.key("topic"), topic);
        }
        Target::Email { host, port, security, ca_file, username, password, from, to: addresses, timeout } => {
            check_host(look, &to.key("host"), host);
            look.check_within(&to.key("port"), *port, 1, u16::MAX);
            look.check_secret(&to.key("password"), password.as_ref());
            look.check_positive(&to.key("timeout"), *timeout);
            if username.is_some() != password.is_some() {
                look.error(to, "username and password come together");
            }
            if *security == MailSecurity::None && password.is_some() {
                look.error(&to.key("security"), "a password is never sent in plain text");
            }
            if let Some(ca_file) = ca_file
                && look.outside == Outside::Looked
                && !ca_file.is_file()
            {
                look.error(&to.key("ca_file"), format!("there is no file {}", ca_file.display()));
            }
            check_address(look, &to.key("from"), from);
            look.check_within(&to.key("to"), addresses.len(), 1, ADDRESSES_MAX);
            for (i, address) in addresses.iter().enumerate() {
                check_address(look, &to.key("to").index(i), address);
            }
        }
    }
}

fn check_address(look: &mut Look<'_>, at: &Path, address: &str) {
    if let Err(error) = address.parse::<lettre::message::Mailbox>() {
        look.error(at, format!("{address:?} is no mail address: {error}"));
    }
}

fn check_topic(look: &mut Look<'_>, at: &Path, topic: &str) {
    let rest = TOPIC_WORDS.iter().fold(topic.to_owned(), |rest, word| rest.replace(word, ""));
    if rest.contains(['{', '}']) {
        look.error(at, format!("in braces there is one of {}", TOPIC_WORDS.join(", ")));
    }
    check_plain_topic(look, at, topic);
}

pub(super) fn check_plain_topic(look: &mut Look<'_>, at: &Path, topic: &str) {
    if topic.is_empty()
        || topic.len() > 1024
        || topic.starts_with('$')
        || topic.contains(['+', '#'])
        || topic.chars().any(char::is_control)
    {
        look.error(at, "one publishes to a plain topic: no wildcards, no \"$\" in front");
    }
}

fn check_escalation(look: &mut Look<'_>, at: &Path, escalation: &Escalation) {
    if let Some(centre) = &escalation.centre {
        look.check_reference(&at.key("centre"), "centre", centre, "centres");
    }
    if let Some(category) = &escalation.category {
        check_pattern(look, &at.key("category"), category);
    }
    look.check_within(&at.key("steps"), escalation.steps.len(), 1, STEPS_MAX);
    for (i, step) in escalation.steps.iter().enumerate() {
        let at = at.key("steps").index(i);
        look.check_within(&at.key("receivers"), step.receivers.len(), 1, ENTRIES_MAX);
        for (i, receiver) in step.receivers.iter().enumerate() {
            look.check_reference(&at.key("receivers").index(i), "receiver", receiver, "receivers");
        }
        look.check_positive(&at.key("after"), step.after);
        if let Some(repeat) = step.repeat {
            look.check_positive(&at.key("repeat"), repeat);
        }
    }
}
