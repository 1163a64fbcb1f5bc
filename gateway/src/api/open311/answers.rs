//! Services, requests and errors as GeoReport v2 has them, in XML and in JSON. The field names are the standard's.

use std::io;

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};
use serde_json::{Map, Value, json};

use crate::api::fault::Fault;
use crate::config::Service;
use crate::notify::cap::is_xml;
use crate::nouns::{Standing, Ticket};
use crate::telemetry::time_text;

/// By the end of the path; XML is what the standard requires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Json,
    Xml,
}

/// Something is wrong with a request.
#[derive(Debug)]
pub(super) struct Problem {
    pub(super) status: StatusCode,
    pub(super) text: String,
    pub(super) retry_after_s: Option<u64>,
}

/// Names and values in the standard's order; lists are JSON's only where the standard has them.
pub(super) struct RequestOut(Fields);

type Fields = Vec<(&'static str, Value)>;

impl Problem {
    pub(super) fn new(status: StatusCode, text: impl Into<String>) -> Problem {
        Problem { status, text: text.into(), retry_after_s: None }
    }

    pub(super) fn bad(text: impl Into<String>) -> Problem {
        Problem::new(StatusCode::BAD_REQUEST, text)
    }

    pub(super) fn not_found(text: impl Into<String>) -> Problem {
        Problem::new(StatusCode::NOT_FOUND, text)
    }
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Problem {
        let (status, text) = fault.told();
        Problem::new(status, text)
    }
}

/// `open` while there is work to do.
pub(super) fn status(ticket: &Ticket) -> &'static str {
    if ticket.stage.standing() == Standing::Open { "open" } else { "closed" }
}

impl RequestOut {
    pub(super) fn new(ticket: &Ticket, service: Option<&Service>, changed_ms: i64) -> RequestOut {
        let point = ticket.place.point;
        let is_promised = ticket.stage.is_timed() && ticket.whole.left_ms.is_none();
        RequestOut(vec![
            ("service_request_id", json!(format!("T-{}", ticket.no))),
            ("status", json!(status(ticket))),
            ("status_notes", json!(ticket.stage.as_str())),
            ("service_name", json!(service.map_or(&*ticket.title, |service| &service.name))),
            ("service_code", json!(service.map(|service| &service.code))),
            ("description", json!(ticket.why)),
            ("agency_responsible", json!(ticket.unit.as_ref().unwrap_or(&ticket.centre))),
            ("service_notice", Value::Null),
            ("requested_datetime", json!(time_text(ticket.opened_ms))),
            ("updated_datetime", json!(time_text(changed_ms))),
            ("expected_datetime", json!(is_promised.then(|| time_text(ticket.whole.due_ms)))),
            ("address", json!(ticket.place.name)),
            ("address_id", Value::Null),
            ("zipcode", Value::Null),
            ("lat", json!(point.map(|(_, lat)| lat))),
            ("long", json!(point.map(|(lon, _)| lon))),
            ("media_url", Value::Null),
        ])
    }
}

impl Form {
    /// The path without its ending.
    pub(super) fn of(path: &str) -> (&str, Form) {
        match path.rsplit_once('.') {
            Some((path, "json")) => (path, Form::Json),
            Some((path, "xml")) => (path, Form::Xml),
            _ => (path, Form::Xml),
        }
    }

    pub(super) fn services(self, services: &[Service]) -> Response {
        let fields = |service: &Service| {
            vec![
                ("service_code", json!(service.code)),
                ("service_name", json!(service.name)),
                ("description", json!(service.description)),
                ("metadata", json!(false)),
                ("type", json!("realtime")),
                ("keywords", json!(service.keywords.join(","))),
                ("group", json!(service.group)),
            ]
        };
        self.list(StatusCode::OK, "services", "service", &services.iter().map(fields).collect::<Vec<_>>())
    }

    pub(super) fn requests(self, requests: &[RequestOut]) -> Response {
        let fields: Vec<Fields> = requests.iter().map(|request| request.0.clone()).collect();
        self.list(StatusCode::OK, "service_requests", "request", &fields)
    }

    pub(super) fn taken(self, no: u64, is_new: bool) -> Response {
        let notice = if is_new { Value::Null } else { json!("this was reported already") };
        let fields = vec![
            ("service_request_id", json!(format!("T-{no}"))),
            ("service_notice", notice),
            ("account_id", Value::Null),
        ];
        let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
        self.list(status, "service_requests", "request", &[fields])
    }

    pub(super) fn problem(self, problem: &Problem) -> Response {
        let fields = vec![("code", json!(problem.status.as_u16())), ("description", json!(problem.text))];
        self.list(problem.status, "errors", "error", &[fields])
    }

    fn list(self, status: StatusCode, root: &str, each: &str, list: &[Fields]) -> Response {
        let (kind, body) = match self {
            Form::Json => {
                let object = |fields: &Fields| -> Map<String, Value> {
                    fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
                };
                ("application/json; charset=utf-8", json!(list.iter().map(object).collect::<Vec<_>>()).to_string())
            }
            Form::Xml => {
                let mut writer = Writer::new(Vec::new());
                // Writing to memory cannot fail, and all that is written is text.
                let _ = write(&mut writer, root, each, list);
                ("text/xml; charset=utf-8", String::from_utf8(writer.into_inner()).unwrap_or_default())
            }
        };
        (status, [(header::CONTENT_TYPE, kind)], body).into_response()
    }
}

fn write(out: &mut Writer<Vec<u8>>, root: &str, each: &str, list: &[Fields]) -> io::Result<()> {
    out.write_event(Event::Decl(BytesDecl::new("1.0", Some("utf-8"), None)))?;
    out.create_element(root).write_inner_content(|out| {
        for fields in list {
            out.create_element(each).write_inner_content(|out| {
                for (name, value) in fields {
                    let said = match value {
                        Value::Null => String::new(),
                        Value::String(said) => said.chars().filter(|c| is_xml(*c)).collect(),
                        other => other.to_string(),
                    };
                    out.create_element(*name).write_text_content(BytesText::new(&said))?;
                }
                Ok(())
            })?;
        }
        Ok(())
    })?;
    Ok(())
}
