//! The program as a process: it starts alone on its folder, stops when it is told to, and shows itself by the demo.

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::end_to_end::Stream;
use crate::support::program::{Program, outpost};
use crate::support::within;

#[tokio::test]
async fn sigterm_ends_it_cleanly_whatever_its_clients_do() {
    let mut gateway = Program::new("");
    gateway.start_ready().await;
    let stream = Stream::open(&gateway, Some(0)).await;
    // Clients that never finish their request, and one that keeps its connection.
    let mut slow = TcpStream::connect(gateway.address()).await.unwrap();
    slow.write_all(b"GET /healthz HT").await.unwrap();
    let mut body = TcpStream::connect(gateway.address()).await.unwrap();
    let head = "POST /api/v1/tickets/1/accept HTTP/1.1\r\nhost: x\r\nauthorization: Bearer correct-horse\r\n\
                content-type: application/json\r\ncontent-length: 100\r\n\r\n{";
    body.write_all(head.as_bytes()).await.unwrap();
    let _idle = TcpStream::connect(gateway.address()).await.unwrap();
    assert_eq!(gateway.get("/healthz").await.status, 200);

    let status = gateway.terminate().await;
    assert_eq!(status.code(), Some(0), "{}", gateway.log());
    assert!(gateway.log().lines().last().is_some_and(|line| line.ends_with("stopped")), "{}", gateway.log());
    within("the stream", stream.ended()).await;
}

#[tokio::test]
async fn a_gateway_without_its_broker_stops_as_cleanly() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut gateway = Program::new(&format!(
        "[[brokers]]\nid = \"b\"\nhost = \"127.0.0.1\"\nport = {nobody}\n[[feeds]]\nid = \"f\"\nbroker = \"b\"\n\
         topics = [\"t/#\"]\nformat = {{ kind = \"number\", metric = \"v\" }}\n"
    ));
    gateway.start().await;
    gateway.ready(503).await;
    assert_eq!(gateway.terminate().await.code(), Some(0), "{}", gateway.log());
}

#[tokio::test]
async fn a_second_process_on_the_same_folder_is_refused() {
    let mut gateway = Program::new("");
    gateway.start().await;
    let (code, _, error) = outpost(&["run", "-c", &gateway.config().display().to_string()]);
    assert_eq!(code, Some(1));
    let last = error.lines().last().unwrap_or_default();
    assert!(last.starts_with("outpost: failed to open the store: ") && last.contains("another"), "{error}");
    assert_eq!(gateway.get("/healthz").await.status, 200, "the first one goes on");
    gateway.kill();
    gateway.start().await;
}

#[test]
fn the_demo_shows_tickets_and_ends_by_itself() {
    let (code, out, error) = outpost(&["demo", "--seconds", "20", "--listen", "127.0.0.1:0"]);
    assert_eq!(code, Some(0), "{error}");
    assert!(out.starts_with("Outpost demo: http://127.0.0.1:"), "{out}");
    let opened = out.lines().filter(|line| line.contains(" T-") && line.contains('[')).count();
    assert!(opened >= 3, "{out}");
    assert!(out.ends_with("stopped\n"), "{out}");
}
