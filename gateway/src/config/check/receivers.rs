//! What must hold of receivers and escalations: that they reach somebody, on a calendar that there is.

use super::calendars::check_windows;
use super::desk::check_pattern;
use super::look::Look;
use super::parts::check_url;
use super::tree::Path;
use crate::config::{Config, Escalation, Receiver, Target};

/// Entries of a receiver's lists.
const ENTRIES_MAX: usize = 1_000;
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
        Target::Webhook { url, secret, timeout } => {
            check_url(look, &to.key("url"), url, &["http", "https"]);
            look.check_secret(&to.key("secret"), secret.as_ref());
            look.check_positive(&to.key("timeout"), *timeout);
        }
        Target::Mqtt { broker, topic } => {
            look.check_reference(&to.key("broker"), "broker", broker, "brokers");
            check_topic(look, &to.key("topic"), topic);
        }
    }
}

fn check_topic(look: &mut Look<'_>, at: &Path, topic: &str) {
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
