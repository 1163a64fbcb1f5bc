//! What `benches/run` starts beside the gateway: publishers, bare clients, the RTSP server. One program, since linking is
//! slow.

use outpost_benches::{
    Failure, acknowledge, cameras, desk, farm, flood, gate, latency, listen, parsers, pipeline, publish,
};

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    // A farm's cost is the machine's, not the gateway's: one thread is easily told apart.
    let alone = || tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = || tokio::runtime::Builder::new_multi_thread().enable_all().build();
    match words.as_slice() {
        ["publish", words @ ..] => publish::run(words),
        ["pipeline", words @ ..] => pipeline::run(words),
        ["parsers", words @ ..] => parsers::run(words),
        ["latency", words @ ..] => latency::run(words),
        ["flood", words @ ..] => flood::run(words),
        ["listen", words @ ..] => runtime()?.block_on(listen::run(words)),
        ["acknowledge", words @ ..] => runtime()?.block_on(acknowledge::run(words)),
        ["cameras", words @ ..] => runtime()?.block_on(cameras::run(words)),
        ["desk", words @ ..] => runtime()?.block_on(desk::run(words)),
        ["gate", words @ ..] => gate::run(words),
        ["farm", words @ ..] => alone()?.block_on(farm::run(words)),
        _ => {
            Err("expected publish, flood, listen, acknowledge, cameras, desk, farm, gate, latency, pipeline or parsers"
                .into())
        }
    }
}
