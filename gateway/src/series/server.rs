//! Why a server refuses lines: asks it which buckets it has, and says in one line what to mend. Knows nothing of lines,
//! batches or the spool.
//!
//! `GET /api/v2/buckets` by influxdb2, which reaches the root of a host by plain HTTP only: it drops a path, and is built
//! without its outdated TLS. It reads whatever it is answered, so what bounds an answer is the time that it may take.
//!
//! Reference: <https://docs.influxdata.com/influxdb/v2/api/#operation/GetBuckets>. A token is shown what it may read: a
//! bucket that is not listed may be there all the same.

use std::time::Duration;

use influxdb2::api::buckets::ListBucketsRequest;
use influxdb2::models::{Bucket, bucket};
use influxdb2::{Client, ClientBuilder, RequestError};

use super::SeriesError;
use super::sink::{checked_url, is_protocol_server, read_token, short};
use crate::config;

/// Longest wait for an answer.
const ASK_TIME_MAX: Duration = Duration::from_secs(2);
/// Most that InfluxDB lists in one answer.
const BUCKETS_ASKED: u8 = 100;
/// Buckets that are named; of others the number is told.
const NAMES_MAX: usize = 5;

pub(super) struct Server {
    client: Client,
    org: String,
    bucket: String,
}

impl Server {
    /// None where influxdb2 cannot ask: behind TLS or a path. An answer is waited for no longer than `retry_max`, the wait
    /// that follows a refusal anyway.
    pub(super) fn new(settings: &config::Series) -> Result<Option<Self>, SeriesError> {
        let url = checked_url(&settings.url)?;
        if url.scheme() != "http" || url.path() != "/" {
            return Ok(None);
        }
        let time_max = ASK_TIME_MAX.min(settings.timeout.duration()).min(settings.retry_max.duration());
        let transport = reqwest_v011::Client::builder()
            .timeout(time_max)
            // Asked too rarely for a connection to be worth keeping.
            .pool_max_idle_per_host(0)
            .redirect(reqwest_v011::redirect::Policy::none())
            .no_proxy();
        let token = read_token(settings)?.unwrap_or_default();
        let client = ClientBuilder::with_builder(transport, url.as_str(), &settings.org, token)
            .build()
            .map_err(|error| SeriesError::Client(error.to_string()))?;
        Ok(Some(Server { client, org: settings.org.clone(), bucket: settings.bucket.clone() }))
    }

    /// What to mend after a write was answered `refused` (401, 403 or 404): short, one line, and of the server's words
    /// only the names of buckets.
    pub(super) async fn explain(&self, refused: u16) -> String {
        let request =
            ListBucketsRequest { org: Some(self.org.clone()), limit: Some(BUCKETS_ASKED), ..Default::default() };
        let text = match self.client.list_buckets(Some(request)).await {
            Ok(answer) => self.explain_by(&answer.buckets, refused),
            Err(RequestError::Http { status, text }) => self.explain_by_refusal(status.as_u16(), &text),
            Err(RequestError::ReqwestProcessing { source }) if source.is_timeout() => {
                "asked for its buckets, the server did not answer in time".to_owned()
            }
            Err(RequestError::ReqwestProcessing { source }) if source.is_decode() => {
                "asked for its buckets, the server answered what InfluxDB 2 would not".to_owned()
            }
            Err(_) => "the server could not be asked for its buckets".to_owned(),
        };
        short(&text)
    }

    fn explain_by(&self, buckets: &[Bucket], refused: u16) -> String {
        let Server { org, bucket, .. } = self;
        if buckets.iter().any(|listed| listed.name == *bucket) {
            return match refused {
                404 => format!("bucket {bucket:?} is there: does /api/v2/write reach the same server?"),
                _ => format!("bucket {bucket:?} is there, but the token may not write to it"),
            };
        }
        // InfluxDB's own buckets are no place for readings.
        let ours = |listed: &&Bucket| listed.r#type != Some(bucket::Type::System);
        let names: Vec<String> = buckets.iter().filter(ours).map(|listed| format!("{:?}", listed.name)).collect();
        if names.is_empty() {
            return format!("the token sees no bucket in organisation {org:?}: there is none, or it may not read");
        }
        let among = if buckets.len() < usize::from(BUCKETS_ASKED) { "" } else { " among the first hundred" };
        let (named, others) = names.split_at(names.len().min(NAMES_MAX));
        let more = if others.is_empty() { String::new() } else { format!(" and {} more", others.len()) };
        let named = named.join(", ");
        format!("the token sees no bucket {bucket:?} in organisation {org:?}{among}: it sees {named}{more}")
    }

    fn explain_by_refusal(&self, status: u16, text: &str) -> String {
        let Server { org, bucket, .. } = self;
        match (status, is_protocol_server(text)) {
            (401, _) => {
                "the token may not list buckets either: it is mistyped, switched off or another server's".into()
            }
            (403, _) => format!("the token may not list buckets: whether there is a bucket {bucket:?} is not known"),
            (404, true) => format!("there is no organisation {org:?}, or the token may not see it"),
            (300..=499, false) => {
                format!("no list of buckets at this address (answered {status}): not InfluxDB 2 (VictoriaMetrics?)")
            }
            _ => format!("asked for its buckets, the server answered {status}"),
        }
    }
}
