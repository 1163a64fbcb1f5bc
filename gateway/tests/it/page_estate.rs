//! The view in which integrators set things up, in a real Chromium: what is drawn there catches what next moves, a table of
//! hundreds of cameras is there at once, and a rule is told at its line what is wrong with it.

use serde_json::{Value, json};
use tokio::task::block_in_place;

use crate::page_chromium::{Chromium, assert_accessible};
use crate::support::program::TOKEN;
use crate::support::site::Site;

const SITE: &str = r#"
[console]
annex = "annex.toml"
recent = "4MiB"

[video]
decode_threads = 1

[[feeds]]
id = "buses"
broker = "b"
topics = ["bus/+"]
format = { kind = "json", position = { lon = "/lon", lat = "/lat" } }
"#;

fn open(site: &Site, part: &str) -> Chromium {
    let mut browser = Chromium::start("en-US");
    let address = site.gateway.address();
    browser.open(&format!("http://{address}/?view=estate&part={part}&lang=en&token={TOKEN}"));
    browser.wait_for("document.getElementById('estate-reason') !== null");
    fill(&mut browser, "#estate-reason", "roadworks");
    browser
}

/// As somebody types it.
fn fill(browser: &mut Chromium, selector: &str, text: &str) {
    browser.wait_for(&format!("document.querySelector({}) !== null", json!(selector)));
    browser.value(&format!("(box => {{ box.focus(); box.select?.(); }})(document.querySelector({}))", json!(selector)));
    browser.write(text);
    browser.wait_for(&format!("document.querySelector({}).value === {}", json!(selector), json!(text)));
}

fn press(browser: &mut Chromium, selector: &str) {
    browser.wait_for(&format!("document.querySelector({})?.disabled === false", json!(selector)));
    browser.value(&format!("document.querySelector({}).click()", json!(selector)));
}

async fn bus(site: &Site, id: &str, lon: f64, lat: f64) {
    site.publish(&format!("bus/{id}"), json!({ "lon": lon, "lat": lat }).to_string()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fence_drawn_on_the_map_catches_the_next_crossing() {
    let site = Site::start("5", SITE).await;
    // The map begins where things are.
    bus(&site, "1", 106.5, 29.005).await;
    site.gateway.eventually("the bus", async || site.gateway.get("/api/v1/sources").await.text.contains("bus/1")).await;
    let (mut browser, ring) = block_in_place(|| {
        let mut browser = open(&site, "fences");
        browser.wait_for("document.querySelector('.draw-map')?.dataset.ready === 'true'");
        browser.wait_for("document.querySelector('.draw-map').dataset.fitted === 'true'");
        assert_accessible(&mut browser, "fences");
        fill(&mut browser, "#fence-id", "site");
        fill(&mut browser, "#fence-sources", "bus/+");
        let place = browser.value("(box => [box.x + box.width / 2, box.y + box.height / 2])(document.querySelector('.draw-map canvas').getBoundingClientRect())");
        let (x, y) = (place[0].as_f64().unwrap(), place[1].as_f64().unwrap());
        // Beside the middle, where the bus is; the first corner once more ends it.
        for (right, down) in [(80.0, -60.0), (240.0, -60.0), (240.0, 100.0), (80.0, 100.0), (80.0, -60.0)] {
            browser.click(x + right, y + down);
        }
        browser.wait_for("document.getElementById('fence-corners').value.split('\\n').length === 4");
        let corners = browser.value(
            "document.getElementById('fence-corners').value.split('\\n').map(line => line.split(' ').map(Number))",
        );
        (browser, corners)
    });
    let mean =
        |axis: usize| ring.as_array().unwrap().iter().map(|corner| corner[axis].as_f64().unwrap()).sum::<f64>() / 4.0;
    let (lon, lat) = (mean(0), mean(1));

    // What came until now: a bus that went in, and the page says so before anything is saved.
    bus(&site, "1", lon, lat).await;
    bus(&site, "1", 106.5, 29.005).await;
    site.gateway
        .eventually("its way is kept", async || {
            let body = json!({ "minutes": 60, "drafts": [] });
            site.gateway.post("/api/v1/estate/backtest", body).await.json()["observations"] == 3
        })
        .await;
    block_in_place(|| {
        fill(&mut browser, "#fence-name", "Roadworks");
        browser.wait_for("document.querySelector('.preview')?.dataset.tickets === '1'");
        press(&mut browser, "[data-save=fences]");
        browser.wait_for("document.body.innerText.includes('site is saved')");
    });
    let open = async || site.gateway.json("/api/v1/alerts?state=open").await["alerts"].as_array().unwrap().len();
    assert_eq!(open().await, 0, "what was is over");
    bus(&site, "2", 106.5, 29.005).await;
    bus(&site, "2", lon, lat).await;
    site.gateway.eventually("the next crossing", async || open().await == 1).await;
    // One attempt at a time: the test's own question above may be in the way of the page's, which asks again.
    browser.complaints.retain(|said| !(said.contains("429") && said.contains("backtest")));
    assert_eq!(browser.complaints, [] as [String; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_hundred_cameras_come_by_a_table() {
    let site = Site::start("5", SITE).await;
    let lines = (0..500).map(|n| format!("c{n},路口 {n},rtsp://127.0.0.1:9/{n},admin,hunter2\n"));
    let table = "id,name,url,username,password\n".to_owned() + &lines.collect::<String>();
    let drop = |browser: &mut Chromium, table: &str| {
        let expression = format!(
            "(input => {{ const all = new DataTransfer(); all.items.add(new File([{}], 'cameras.csv')); input.files = all.files; \
             input.dispatchEvent(new Event('change')); }})(document.getElementById('cameras-file'))",
            json!(table)
        );
        browser.wait_for("document.getElementById('cameras-file') !== null");
        browser.value(&expression);
    };
    let mut browser = block_in_place(|| {
        let mut browser = open(&site, "cameras");
        drop(&mut browser, &table.replace("c7,路口 7,rtsp", "c7,路口 7,http"));
        browser.wait_for("document.getElementById('import-result')?.dataset.wrong === '1'");
        let row = browser.value("document.querySelector('td.bad')?.closest('tr').dataset.row");
        assert_eq!(row, json!("9"), "the line of the table");
        assert_eq!(browser.value("document.querySelector('[data-import]').disabled"), json!(true));
        assert_accessible(&mut browser, "cameras");
        drop(&mut browser, &table);
        browser.wait_for("document.getElementById('import-result')?.dataset.wrong === '0'");
        press(&mut browser, "[data-import]");
        browser.wait_for("document.querySelectorAll('[data-camera]').length === 500");
        browser
    });
    let cameras = async || {
        let sources = site.gateway.json("/api/v1/sources").await["sources"].as_array().unwrap().clone();
        sources.iter().filter(|source| source["link"]["state"].is_string()).count()
    };
    site.gateway.eventually("all are tried", async || cameras().await == 500).await;
    assert!(!block_in_place(|| browser.value("document.body.innerText")).as_str().unwrap().contains("hunter2"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rule_is_told_at_its_line_what_is_wrong_with_it() {
    let site = Site::start("5", SITE).await;
    let browser = block_in_place(|| {
        let mut browser = open(&site, "rules");
        press(&mut browser, "[data-new=rules]");
        let text = "[[rules]]\nid = \"quiet\"\nsources = [\"bus/+\"]\nseverity = \"huge\"\ndetect = { kind = \"silent\", after = \"1h\" }\n";
        fill(&mut browser, "textarea.code", text);
        browser.wait_for("document.querySelector('.problems .error button')?.textContent === 'line 4'");
        assert_eq!(browser.value("document.querySelector('[data-save=rules]').disabled"), json!(true));
        assert_accessible(&mut browser, "rules");
        press(&mut browser, ".problems .error button");
        let chosen =
            "(box => box.value.slice(box.selectionStart, box.selectionEnd))(document.querySelector('textarea.code'))";
        assert_eq!(browser.value(chosen), json!("severity = \"huge\""));
        fill(&mut browser, "textarea.code", &text.replace("huge", "minor"));
        press(&mut browser, "[data-save=rules]");
        browser.wait_for("document.body.innerText.includes('quiet is saved')");
        browser
    });
    let rules = site.gateway.json("/api/v1/rules").await;
    assert_eq!((rules["rules"].as_array().map(Vec::len), &rules["rules"][0]["id"]), (Some(1), &Value::from("quiet")));
    // Of the draft that was not sound: the browser tells of each answer that is no success.
    let others: Vec<_> = browser.complaints.iter().filter(|told| !told.contains("status of 422")).collect();
    assert_eq!(others, [] as [&String; 0]);
}
