//! What must hold of lights: a broker and topics that there are, and four confirmations that can be told apart.

use std::collections::HashSet;

use super::look::Look;
use super::receivers::check_plain_topic;
use super::tree::Path;
use crate::config::{Config, LIGHT_WORD};
use crate::nouns::Lamp;

const LIGHTS_MAX: usize = 1_000;
const PAYLOAD_BYTES_MAX: usize = 4 << 10;
const COLOURS: [Lamp; 4] = [Lamp::Off, Lamp::Green, Lamp::Yellow, Lamp::Red];

pub(super) fn check(look: &mut Look<'_>, config: &Config) {
    let lights = &config.lights;
    look.check_within(&Path::default().key("lights"), lights.len(), 0, LIGHTS_MAX);
    let paths: Vec<_> = (0..lights.len()).map(|i| look.shape.origin("lights", i)).collect();
    look.check_ids(paths.iter().cloned().zip(lights.iter().map(|light| light.id.as_str())));
    for (at, light) in paths.iter().zip(lights) {
        if let Some(centre) = &light.centre {
            look.check_reference(&at.key("centre"), "centre", centre, "centres");
        }
        look.check_reference(&at.key("broker"), "broker", &light.broker, "brokers");
        let topic = light.topic.replace(LIGHT_WORD, "red");
        if topic.contains(['{', '}']) {
            look.error(&at.key("topic"), format!("in braces there is {LIGHT_WORD} only"));
        }
        check_plain_topic(look, &at.key("topic"), &topic);
        let confirm = at.key("confirm");
        check_plain_topic(look, &confirm.key("topic"), &light.confirm.topic);
        if topic == light.confirm.topic {
            look.error(&confirm.key("topic"), "a light that is told there would confirm whatever it is told");
        }
        look.check_positive(&confirm.key("within"), light.confirm.within);
        let said: HashSet<&str> = COLOURS.iter().map(|lamp| light.confirm.says.of(*lamp)).collect();
        if said.len() < COLOURS.len() {
            look.error(&confirm.key("says"), "two colours are confirmed alike");
        }
        if COLOURS.iter().any(|lamp| light.payload.of(*lamp).len() > PAYLOAD_BYTES_MAX) {
            look.error(&at.key("payload"), format!("is longer than {PAYLOAD_BYTES_MAX} bytes"));
        }
    }
}
