//! Value templates: Jinja by the engine minijinja, with a limit on work and without what could outgrow it. Knows nothing
//! of devices.

use std::collections::HashSet;
use std::sync::Arc;

use minijinja::filters;
use minijinja::value::{Kwargs, Value};
use minijinja::{Environment, Error, ErrorKind, State, UndefinedBehavior, context};

/// Longest template.
const TEMPLATE_BYTES_MAX: usize = 1_000;
/// Different templates of one feed.
const TEMPLATES_MAX: usize = 10_000;
/// Instructions of one evaluation; what devices announce needs about ten.
const FUEL: u64 = 1_000;

#[derive(Debug)]
pub(super) struct Templates {
    engine: Environment<'static>,
    known: HashSet<Arc<str>>,
}

/// A payload as templates see it.
pub(super) struct Given {
    values: Value,
}

/// What a template made of a payload.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Rendered {
    Text(String),
    /// The payload lacks what the template asks for.
    Nothing,
    Failed(String),
}

impl Default for Templates {
    fn default() -> Self {
        let mut engine = Environment::empty();
        engine.set_fuel(Some(FUEL));
        // What is not there is not 0.
        engine.set_undefined_behavior(UndefinedBehavior::SemiStrict);
        engine.add_filter("float", |state: &State<'_, '_>, value: &Value, default: Option<Value>, named: Kwargs| {
            known(value, default.as_ref(), &named)?;
            filters::float(state, value, default, named)
        });
        engine.add_filter("int", |state: &State<'_, '_>, value: &Value, default: Option<Value>, named: Kwargs| {
            known(value, default.as_ref(), &named)?;
            filters::int(state, value, default, None, named)
        });
        engine.add_filter("default", filters::default);
        engine.add_filter("d", filters::default);
        engine.add_filter("round", filters::round);
        engine.add_filter("abs", filters::abs);
        engine.add_filter("lower", filters::lower);
        engine.add_filter("upper", filters::upper);
        engine.add_filter("trim", filters::trim);
        engine.add_test("defined", minijinja::tests::is_defined);
        engine.add_test("undefined", minijinja::tests::is_undefined);
        engine.add_test("none", minijinja::tests::is_none);
        engine.add_test("number", minijinja::tests::is_number);
        engine.add_test("string", minijinja::tests::is_string);
        Templates { engine, known: HashSet::new() }
    }
}

/// The engine makes 0 of nothing, which is no reading.
fn known(value: &Value, default: Option<&Value>, named: &Kwargs) -> Result<(), Error> {
    match (value.is_none() || value.is_undefined()) && default.is_none() && !named.has("default") {
        true => Err(ErrorKind::UndefinedError.into()),
        false => Ok(()),
    }
}

impl Templates {
    /// Keeps a template, or says why it is none that can be used.
    pub(super) fn add(&mut self, source: &str) -> Result<Arc<str>, String> {
        if let Some(known) = self.known.get(source) {
            return Ok(known.clone());
        }
        if source.len() > TEMPLATE_BYTES_MAX {
            return Err(format!("{} bytes, at most {TEMPLATE_BYTES_MAX} are read", source.len()));
        }
        if self.known.len() >= TEMPLATES_MAX {
            return Err(format!("more than {TEMPLATES_MAX} templates"));
        }
        if let Some(word) = source.split("{%").skip(1).map(first_word).find(|word| !is_choice(word)) {
            return Err(format!("the statement {word:?} is not allowed, only if is"));
        }
        // Text times a number is long text: once is within the engine's bound.
        if source.matches('*').count() > 1 {
            return Err("more than one multiplication".to_owned());
        }
        let name: Arc<str> = source.into();
        let added = self.engine.add_template_owned(source.to_owned(), source.to_owned());
        added.map_err(|error| told(&error))?;
        // What the engine does not know it tells only when it comes to it.
        if let Err(error) =
            self.engine.get_template(source).and_then(|template| template.render(&Given::new("{}").values))
            && is_unknown(error.kind())
        {
            self.engine.remove_template(source);
            return Err(told(&error));
        }
        self.known.insert(name.clone());
        Ok(name)
    }

    pub(super) fn render(&self, template: &str, given: &Given) -> Rendered {
        let rendered = self.engine.get_template(template).and_then(|template| template.render(&given.values));
        match rendered {
            Ok(text) => match text.trim() {
                "" | "None" | "none" => Rendered::Nothing,
                trimmed => Rendered::Text(trimmed.to_owned()),
            },
            Err(error) if error.kind() == ErrorKind::UndefinedError => Rendered::Nothing,
            Err(error) => Rendered::Failed(told(&error)),
        }
    }
}

impl Given {
    /// The payload as text, and as JSON where it is that.
    pub(super) fn new(text: &str) -> Self {
        let json = serde_json::from_str::<Value>(text).unwrap_or(Value::UNDEFINED);
        Given { values: context! { value => text, value_json => json } }
    }
}

fn first_word(statement: &str) -> &str {
    let statement = statement.trim_start_matches(['-', '+']).trim_start();
    let end = statement.find(|letter: char| !letter.is_ascii_alphanumeric()).unwrap_or(statement.len());
    &statement[..end]
}

fn is_unknown(kind: ErrorKind) -> bool {
    use ErrorKind::{UnknownFilter, UnknownFunction, UnknownMethod, UnknownTest};
    matches!(kind, UnknownFilter | UnknownFunction | UnknownMethod | UnknownTest)
}

fn is_choice(word: &str) -> bool {
    ["if", "elif", "else", "endif"].contains(&word)
}

/// The engine's error without the place in its "file", which is the template.
fn told(error: &Error) -> String {
    let detail = error.detail().map(|detail| format!(": {detail}")).unwrap_or_default();
    format!("{}{detail}", error.kind())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(template: &str, payload: &str) -> Rendered {
        let mut templates = Templates::default();
        let name = templates.add(template).unwrap_or_else(|cause| panic!("{template}: {cause}"));
        templates.render(&name, &Given::new(payload))
    }

    #[test]
    fn the_templates_that_devices_announce_are_understood() {
        let climate =
            r#"{"ENERGY":{"Power":[12,7]},"temperature":21.56,"a-b":7,"contact":false,"text":"3.5","gone":null}"#;
        for (template, payload, expected) in [
            ("{{ value_json.temperature }}", climate, "21.56"),
            ("{{value_json['a-b']}}", climate, "7"),
            ("{{ value_json.ENERGY.Power[1] }}", climate, "7"),
            ("{{ value_json.temperature | round(1) }}", climate, "21.6"),
            ("{{ value_json.temperature|float / 10 }}", climate, "2.1559999999999997"),
            ("{{ (value_json.text | float * 2) | int }}", climate, "7"),
            ("{{ value_json.missing | default(5) }}", climate, "5"),
            ("{{ value_json.gone | float(default=-1) }}", climate, "-1"),
            ("{{ value }}", "19.5", "19.5"),
            ("{{ value | float | round(0) }}", "19.5", "20.0"),
            ("{{ value_json }}", "19.5", "19.5"),
            ("{% if value_json.contact %}ON{% else %}OFF{% endif %}", climate, "OFF"),
            ("{{ 'OFF' if value_json.contact else 'ON' }}", climate, "ON"),
            ("{{ value_json.temperature if value_json.temperature is defined else '' }}", climate, "21.56"),
            ("{{ value | trim | upper }}", " on\n", "ON"),
        ] {
            assert_eq!(rendered(template, payload), Rendered::Text(expected.into()), "{template}");
        }
    }

    #[test]
    fn what_is_not_there_is_no_number() {
        for template in [
            "{{ value_json.missing }}",
            "{{ value_json.missing | float }}",
            "{{ value_json.missing.deeper }}",
            "{{ value_json.gone | float }}",
            "{{ value_json.gone | int }}",
            "{{ value_json.gone }}",
        ] {
            assert_eq!(rendered(template, r#"{"gone":null}"#), Rendered::Nothing, "{template}");
        }
        assert_eq!(rendered("{{ value_json.a }}", "not json"), Rendered::Nothing);
    }

    #[test]
    fn templates_that_could_outgrow_their_bounds_are_refused() {
        let mut templates = Templates::default();
        for (template, cause) in [
            ("{% for i in range(1000000) %}x{% endfor %}", "the statement \"for\" is not allowed, only if is"),
            ("{%- set x = value ~ value %}{{ x }}", "the statement \"set\" is not allowed, only if is"),
            ("{{ 'x' * 99999 * 99999 }}", "more than one multiplication"),
            ("{{ value | regex_replace('a', 'b') }}", "unknown filter: filter regex_replace is unknown"),
            ("{{ now() }}", "unknown function: now is unknown"),
            (
                "{{ value_json.a | regex_replace('a', 'b') ",
                "syntax error: unexpected end of input, expected end of variable block",
            ),
        ] {
            assert_eq!(templates.add(template), Err(cause.to_owned()), "{template}");
        }
        assert!(
            templates.add(&format!("{{{{ {} }}}}", "1 + ".repeat(400))).is_err_and(|cause| cause.contains("bytes"))
        );
        assert!(matches!(rendered(&format!("{{{{ 0 {} }}}}", "+1 ".repeat(300)), "1"), Rendered::Text(_)));
        assert!(matches!(rendered("{{ value | float }}", "warm"), Rendered::Failed(_)));
        assert!(matches!(rendered("{{ value_json.missing * 2 }}", "{}"), Rendered::Failed(_)));
    }
}
