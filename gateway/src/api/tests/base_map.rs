//! The map under all: what it is, by range in one file, and picture by picture.

use super::*;

fn world(map: &str) -> World {
    World::configured(0, &format!("[console]\nmap = {map}\n"))
}

#[tokio::test]
async fn without_a_map_there_is_none() {
    let world = World::new(0);
    let said = world.get("/api/v1/map").await;
    openapi::assert_is_as_said("/api/v1/map", "get", &said);
    assert_eq!(said.json(), json!({ "map": null }));
    for path in ["file", "tiles/0/0/0"] {
        assert_eq!(world.get(&format!("/api/v1/map/{path}")).await.problem().0, 404);
    }
}

#[tokio::test]
async fn one_file_is_read_by_ranges() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("district.pmtiles");
    std::fs::write(&path, b"PMTiles\x03and what follows").unwrap();
    let world = world(&format!("{{ tiles = {path:?}, attribution = \"测绘院\" }}"));
    let said = world.get("/api/v1/map").await;
    openapi::assert_is_as_said("/api/v1/map", "get", &said);
    let map = json!({ "path": "/api/v1/map/file", "zoom_max": null, "coordinates": "wgs84", "attribution": "测绘院" });
    assert_eq!(said.json()["map"], map);
    let asked = HttpRequest::get("/api/v1/map/file").header("range", "bytes=0-6").body(Body::empty()).unwrap();
    let part = world.ask(asked).await;
    assert_eq!((part.status, &part.bytes[..]), (StatusCode::PARTIAL_CONTENT, b"PMTiles".as_slice()));
    assert_eq!(world.get("/api/v1/map/tiles/0/0/0").await.problem().0, 404);
    std::fs::remove_file(path).unwrap();
    assert_eq!(world.get("/api/v1/map/file").await.problem().0, 404);
}

#[tokio::test]
async fn a_picture_that_is_not_there_is_no_error_and_no_path_leads_out() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("3/6")).unwrap();
    std::fs::write(folder.path().join("3/6/3.png"), b"a picture").unwrap();
    let path = folder.path().join("{z}/{x}/{y}.png");
    let world = world(&format!("{{ tiles = {path:?}, coordinates = \"gcj02\", zoom_max = 12 }}"));
    let map =
        json!({ "path": "/api/v1/map/tiles/{z}/{x}/{y}", "zoom_max": 12, "coordinates": "gcj02", "attribution": "" });
    assert_eq!(world.get("/api/v1/map").await.json()["map"], map);
    let there = world.get("/api/v1/map/tiles/3/6/3").await;
    assert_eq!(
        (there.status, there.header("content-type"), &there.bytes[..]),
        (StatusCode::OK, "image/png", &b"a picture"[..])
    );
    assert_eq!(world.get("/api/v1/map/tiles/3/6/4").await.status, StatusCode::NO_CONTENT);
    assert_eq!(world.get("/api/v1/map/tiles/3/..%2F6/3").await.problem().0, 400);
    assert_eq!(world.get("/api/v1/map/file").await.problem().0, 404);
}
