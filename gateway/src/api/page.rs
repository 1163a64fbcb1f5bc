//! The console at `/` and the field page at `/field`: what `make console` built of `gateway/console`, in the binary; nothing from other origins.
//! Files whose names carry their hash are kept by browsers for ever, the index is asked for each time.

use std::borrow::Cow;

use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use rust_embed::RustEmbed;

use super::fault::Fault;

/// Empty where the console was not built: the gateway needs no Node.
#[derive(RustEmbed)]
#[folder = "console/dist"]
#[allow_missing = true]
struct Built;

/// Nothing but what this server serves. MapLibre draws from a worker, a file of ours, and has its signs as data; what is watched
/// live is a blob that the page fills.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; worker-src 'self'; img-src 'self' blob: data:; \
     media-src 'self' blob:; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const ALWAYS_ASKED: HeaderValue = HeaderValue::from_static("no-cache");
const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

const NOT_BUILT: &str = "<!doctype html>
<html lang=\"en\"><meta charset=\"utf-8\"><title>Outpost: the console is not built</title>
<h1>The console is not built</h1>
<p>This gateway was compiled without its page. It works all the same: the API is under <code>/api/v1</code>.</p>
<p>With Node 20.19 or newer: <code>make console</code>, then build the gateway again.</p>
<h1 lang=\"zh-CN\">控制台尚未构建</h1>
<p lang=\"zh-CN\">网关照常运行，接口在 <code>/api/v1</code>。安装 Node 20.19 以上，执行 <code>make console</code> 后重新编译即可。</p>
</html>
";

pub(super) async fn index(headers: HeaderMap) -> Response {
    page("index.html", &headers)
}

pub(super) async fn field(headers: HeaderMap) -> Response {
    page("field.html", &headers)
}

fn page(name: &str, headers: &HeaderMap) -> Response {
    let not_built = || Found { bytes: NOT_BUILT.as_bytes().into(), is_gzip: false };
    Found::named(name, headers).unwrap_or_else(not_built).answer(name, ALWAYS_ASKED)
}

/// Icons, the manifest and the worker of the field page: beside the pages, under names that stay.
pub(super) async fn beside(uri: Uri, headers: HeaderMap) -> Result<Response, Fault> {
    let name = uri.path().trim_start_matches('/');
    let file = Found::named(name, &headers).ok_or_else(nothing)?;
    Ok(file.answer(name, ALWAYS_ASKED))
}

pub(super) async fn asset(name: Result<Path<String>, PathRejection>, headers: HeaderMap) -> Result<Response, Fault> {
    let Path(name) = name?;
    // Decoded, a name may have a slash; the folder has no folders.
    let is_flat = !name.contains(['/', '\\']);
    let asset = Found::named(&format!("assets/{name}"), &headers).filter(|_| is_flat).ok_or_else(nothing)?;
    Ok(asset.answer(&name, FOR_EVER))
}

fn nothing() -> Fault {
    Fault::not_found("the console has no such file")
}

/// A file of the console, as it is or in gzip.
struct Found {
    bytes: Cow<'static, [u8]>,
    is_gzip: bool,
}

impl Found {
    fn named(name: &str, headers: &HeaderMap) -> Option<Found> {
        let accepted = headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let packed = if takes_gzip(accepted) { Built::get(&format!("{name}.gz")) } else { None };
        match packed {
            Some(file) => Some(Found { bytes: file.data, is_gzip: true }),
            None => Some(Found { bytes: Built::get(name)?.data, is_gzip: false }),
        }
    }

    fn answer(self, name: &str, cache: HeaderValue) -> Response {
        let mut response = (StatusCode::OK, self.bytes.into_owned()).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind(name)));
        headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
        headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        headers.insert(header::CACHE_CONTROL, cache);
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        if self.is_gzip {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        response
    }
}

/// RFC 9110, 12.5.3: a coding with the weight 0 is not wanted.
fn takes_gzip(accepted: &str) -> bool {
    accepted.split(',').any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, "q=1"));
        let weight = weight.trim().strip_prefix("q=").and_then(|weight| weight.parse::<f32>().ok());
        name.trim().eq_ignore_ascii_case("gzip") && weight.unwrap_or(0.0) > 0.0
    })
}

fn kind(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("webmanifest") => "application/manifest+json",
        Some("png") => "image/png",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_sent_to_those_that_take_it() {
        for accepted in ["gzip", "gzip, deflate, br", "br;q=1.0, GZIP;q=0.5"] {
            assert!(takes_gzip(accepted), "{accepted}");
        }
        for accepted in ["", "br", "gzip;q=0", "gzip;q=0.0, br", "x-gzip"] {
            assert!(!takes_gzip(accepted), "{accepted}");
        }
    }

    #[test]
    fn a_file_that_is_not_there_is_none_and_no_name_leads_out_of_the_folder() {
        for name in ["assets/none.js", "assets/../../package.json", "../package.json", "assets/"] {
            assert!(Found::named(name, &HeaderMap::new()).is_none(), "{name}");
        }
    }
}
