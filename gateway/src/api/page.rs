//! The page at `/`: live tickets with snapshot and lamp. Four files, nothing from other origins.

use axum::http::header;
use axum::response::{IntoResponse, Response};

const PAGE: &str = include_str!("../../console/index.html");
const STYLE: &str = include_str!("../../console/page.css");
const SCRIPT: &str = include_str!("../../console/page.js");
const ICON: &str = include_str!("../../console/icon.svg");

/// Nothing but what this server serves.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; media-src 'self'; connect-src 'self'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

pub(super) async fn page() -> Response {
    serve("text/html; charset=utf-8", PAGE)
}

pub(super) async fn style() -> Response {
    serve("text/css; charset=utf-8", STYLE)
}

pub(super) async fn script() -> Response {
    serve("text/javascript; charset=utf-8", SCRIPT)
}

pub(super) async fn icon() -> Response {
    serve("image/svg+xml", ICON)
}

fn serve(content_type: &'static str, text: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, content_type),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, text).into_response()
}
