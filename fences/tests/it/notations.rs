//! Notations, systems of coordinates, and repairs.

use outpost_fences::geojson::{self, Problem, ProblemKind};
use outpost_fences::{Coordinates, Fence, Point, Shape, agreement, repair, wkt};
use serde_json::json;

use crate::shapes::{fence, point, polygon};

fn one(text: &str) -> Fence {
    let mut parsed = wkt::parse(text, Coordinates::Wgs84);
    assert_eq!(parsed.problems, [], "{text}");
    parsed.fences.remove(0)
}

fn why(text: &str) -> String {
    let parsed = wkt::parse(text, Coordinates::Wgs84);
    assert!(parsed.fences.is_empty(), "{text}");
    parsed.problems.iter().map(Problem::to_string).collect()
}

#[test]
fn well_known_text_is_read_line_by_line() {
    let text = "# comment\n\nreservoir\t水库\tSRID=4326;POLYGON Z ((106 29 5, 107 29 5, 107 30 5, 106 29 5),\
                (106.5 29.2 5, 106.6 29.2 5, 106.6 29.3 5, 106.5 29.2 5))\r\n\
                two\tmultipolygon(((1 1,2 1,2 2,1 1)),((3 3,4 3,4 4,3 3)))\n\
                pier\tPOINT (106.05 29.85) RADIUS 200\nroad\tLINESTRING (106 29, 106.1 29.1) width 30\nwire\tLINESTRING(106 29,106.1 29.1)\n\
                field\tBOX (106 29, 106.1 29.1)\nsea\tBOX(179 -1,-179 1)\n";
    let parsed = wkt::parse(text, Coordinates::Wgs84);
    assert_eq!(parsed.problems, []);
    let ids: Vec<&str> = parsed.fences.iter().map(|fence| &*fence.id).collect();
    assert_eq!(ids, ["reservoir", "two", "pier", "road", "wire", "field", "sea"]);
    assert_eq!(parsed.fences[0].name, "水库");
    assert!(parsed.fences[0].contains(point(106.9, 29.2)) && !parsed.fences[0].contains(point(106.58, 29.25)));
    assert!(matches!(&parsed.fences[2].shape, Shape::Circle(circle) if circle.radius_m() == 200.0));
    assert!(matches!(&parsed.fences[3].shape, Shape::Corridor(corridor) if corridor.width_m() == 30.0));
    assert!(matches!(&parsed.fences[4].shape, Shape::Line(_)));
    assert!(parsed.fences[5].contains(point(106.05, 29.05)) && !parsed.fences[5].contains(point(106.1, 29.05)));
    let sea = &parsed.fences[6];
    assert!(sea.contains(point(179.5, 0.0)) && sea.contains(point(-179.5, 0.0)) && !sea.contains(point(0.0, 0.0)));
    assert!(matches!(one("x\tPOLYGON((106 29,107 29,107 30,106 29));").shape, Shape::Polygon(_)));
}

#[test]
fn well_known_text_that_is_none_says_where() {
    for (text, said) in [
        ("a\tPOLYGON ((106 29, 107 29, 107 30, 106 29)", "it ends where ')' should be"),
        ("a\tPOLYGON ((106 x, 107 29))", "\"x\" is not a number"),
        ("a\tPOLYGON ((106 nan, 107 29))", "\"nan\" is not a number"),
        ("a\tPOLYGON ((106 29; 107 29))", "')' should be before \"; 107 29))\""),
        ("a\tCURVE (1 2)", "\"CURVE\" is not a kind of fence"),
        ("a\tPOINT (106 29)", "no radius: write RADIUS and metres after it"),
        ("a\tBOX (106 29, 107 29, 107 30)", "BOX wants two corners and has 3"),
        ("a\tBOX (106 29, 107 29)", "at least three corners"),
        ("a\tPOLYGON ((106 29, 107 29, 107 30, 106 29)) tail", "after the geometry stands"),
        (
            "a\tPOLYGON ((29 106, 29 107, 30 107, 29 106))",
            "seem swapped: well-known text has longitude before latitude",
        ),
        ("a\tPOLYGON ((106 29, 107 29, 107 30))", "not closed"),
    ] {
        assert!(why(text).contains(said), "{text}: {}", why(text));
        assert!(why(text).starts_with("line 1 \"a\": "), "{}", why(text));
    }
}

#[test]
fn circles_corridors_and_lines_are_features_too() {
    let feature = |geometry: serde_json::Value, properties: serde_json::Value| {
        geojson::parse(
            &json!({"type": "Feature", "id": "x", "properties": properties, "geometry": geometry}).to_string(),
        )
    };
    let center = json!({"type": "Point", "coordinates": [106.0, 29.0]});
    let path = json!({"type": "LineString", "coordinates": [[106.0, 29.0], [106.1, 29.0]]});
    for (parsed, kind) in [
        (feature(center.clone(), json!({"radius_m": 100})), "Point"),
        (feature(path.clone(), json!({"width": 20.5})), "LineString"),
        (feature(path.clone(), json!({})), "LineString"),
    ] {
        assert_eq!(parsed.problems, []);
        let written = geojson::to_json(&parsed.fences[0]);
        assert_eq!(written["geometry"]["type"], kind);
        assert_eq!(geojson::parse(&written.to_string()).fences, parsed.fences);
    }
    let kinds = |parsed: geojson::Parsed| parsed.problems.into_iter().map(|problem| problem.kind).collect::<Vec<_>>();
    assert_eq!(kinds(feature(center.clone(), json!({}))), [ProblemKind::NoRadius]);
    let found = "\"100 m\"".to_owned();
    assert_eq!(
        kinds(feature(center, json!({"radius_m": "100 m"}))),
        [ProblemKind::NotAMeasure { name: "radius_m", found }]
    );
    let corners = json!({"type": "LineString", "coordinates": [[106.0, 29.0], [106.1, 29.1]]});
    let rectangle = feature(corners.clone(), json!({"rectangle": true}));
    assert_eq!(rectangle.problems, []);
    let fence = &rectangle.fences[0];
    assert!(fence.contains(point(106.05, 29.05)) && fence.contains(point(106.0, 29.0)));
    assert!(!fence.contains(point(106.1, 29.05)) && !fence.contains(point(105.99, 29.05)));
    assert!(matches!(feature(corners, json!({"rectangle": false})).fences[0].shape, Shape::Line(_)));
    let three = json!({"type": "LineString", "coordinates": [[106.0, 29.0], [106.1, 29.0], [106.1, 29.1]]});
    assert_eq!(kinds(feature(three.clone(), json!({"rectangle": true}))), [ProblemKind::NotTwoCorners { n: 3 }]);
    let found = "\"yes\"".to_owned();
    assert_eq!(
        kinds(feature(three, json!({"rectangle": "yes"}))),
        [ProblemKind::NotYesOrNo { name: "rectangle", found }]
    );
    assert!(feature(path, json!({"width_m": -1})).problems[0].to_string().contains("the width is -1 m"));
}

#[test]
fn a_map_in_another_system_gives_the_same_owners() {
    let square = [(106.0, 29.0), (106.1, 29.0), (106.1, 29.1), (106.0, 29.1), (106.0, 29.0)];
    for system in [Coordinates::Gcj02, Coordinates::Bd09] {
        let shifted: Vec<[f64; 2]> =
            square.iter().map(|&(lon, lat)| system.from_wgs84(point(lon, lat))).map(|p| [p.lon, p.lat]).collect();
        let text = json!({"type": "Polygon", "coordinates": [shifted]}).to_string();
        let read = &geojson::parse_in(&text, system).fences[0];
        for (lon, lat) in [(106.00001, 29.05), (105.99999, 29.05), (106.05, 29.09999), (106.05, 29.10001)] {
            assert_eq!(
                read.contains(point(lon, lat)),
                (106.0..106.1).contains(&lon) && (29.0..29.1).contains(&lat),
                "{lon}"
            );
        }
    }
}

/// A district, and its towns drawn from another map.
#[test]
fn a_file_in_another_system_is_found_by_its_neighbours() {
    let ring = |from: f64, to: f64, system: Coordinates| -> Vec<(f64, f64)> {
        let corner = |i: usize| {
            let angle = i as f64 / 60.0 * std::f64::consts::TAU;
            let radius = 0.1 + 0.02 * (angle * 7.0).sin();
            let p = system.from_wgs84(Point { lon: 106.0 + radius * angle.cos(), lat: 29.8 + radius * angle.sin() });
            (p.lon, p.lat)
        };
        (0..60).filter(|i| (from..=to).contains(&(*i as f64))).map(corner).collect()
    };
    let district = fence("district", Shape::Polygon(polygon(&ring(0.0, 60.0, Coordinates::Wgs84), &[])));
    let towns = |system| {
        vec![
            fence("east", Shape::Polygon(polygon(&ring(0.0, 15.0, system), &[]))),
            fence("west", Shape::Polygon(polygon(&ring(25.0, 45.0, system), &[]))),
        ]
    };
    for system in [Coordinates::Gcj02, Coordinates::Bd09] {
        let towns = towns(system);
        let shift = agreement::shift(towns.iter(), std::iter::once(&district)).unwrap();
        assert_eq!(shift.seems, system);
        assert!(shift.apart_m > 150.0 && shift.converted_m < 1.0, "{shift:?}");
        // The district fits its towns no better for being shifted the other way.
        assert_eq!(agreement::shift(std::iter::once(&district), towns.iter()), None);
    }
    assert_eq!(agreement::shift(towns(Coordinates::Wgs84).iter(), std::iter::once(&district)), None);
    assert_eq!(agreement::shift(towns(Coordinates::Gcj02).iter(), std::iter::empty()), None);
}

#[test]
fn what_lies_astray_is_named() {
    let square = |id: &str, lon: f64, lat: f64| {
        fence(id, Shape::Polygon(polygon(&[(lon, lat), (lon + 0.1, lat), (lon + 0.1, lat + 0.1)], &[])))
    };
    let fences =
        [square("a", 30.0, 50.0), square("b", 30.1, 50.0), square("swapped", 50.0, 30.0), square("c", 30.2, 50.0)];
    let all: Vec<&Fence> = fences.iter().collect();
    let astray: Vec<&str> = agreement::astray(&all).into_iter().map(|fence| &*fence.id).collect();
    assert_eq!(astray, ["swapped"]);
    assert!(agreement::astray(&all[..2]).is_empty());
}

#[test]
fn common_mistakes_are_mended_and_said() {
    let mistaken = |coordinates: serde_json::Value| {
        json!({"type": "FeatureCollection", "features": [
            {"type": "Feature", "properties": {"id": "a", "colour": "red"}, "geometry": {"type": "Polygon", "coordinates": coordinates}}
        ]})
    };
    for (coordinates, said) in [
        (
            json!([[[29.0, 106.0], [29.0, 107.0], [30.0, 107.0], [29.0, 106.0]]]),
            "were swapped: it begins at [106, 29] now",
        ),
        (json!([[[106.0, 29.0], [107.0, 29.0], [107.0, 30.0]]]), "it was not closed: [106, 29] is repeated"),
        (
            json!([[[106.0, 29.0], [107.0, 30.0], [107.0, 29.0], [106.0, 30.0], [106.0, 29.0]]]),
            "it crossed itself at [106.5",
        ),
        (json!([[[106.0, 29.0], [107.0, 29.0], [107.0, 29.0], [107.0, 30.0], [106.0, 29.0]]]), "1 repeated positions"),
        (json!([[[106.0, 29.0], [107.0, 30.0], [107.0, 29.0], [106.0, 29.0]]]), "counter-clockwise"),
    ] {
        let repaired = repair::repair(&mistaken(coordinates).to_string()).unwrap();
        let said_all: Vec<String> =
            repaired.changes.iter().map(|change| format!("{}: {}", change.feature, change.what)).collect();
        assert!(said_all.iter().any(|sentence| sentence.contains(said)), "{said}: {said_all:?}");
        assert!(said_all[0].starts_with("features[0] \"a\": coordinates[0]: "), "{said_all:?}");
        let parsed = geojson::parse(&repaired.json.to_string());
        assert_eq!(parsed.problems, [], "{said}");
        assert_eq!(repaired.json["features"][0]["properties"]["colour"], "red");
        // What is sound is left alone.
        let again = repair::repair(&repaired.json.to_string()).unwrap();
        assert_eq!((again.changes, again.json), (vec![], repaired.json));
    }
    assert!(repair::repair("{").unwrap_err().contains("not JSON"));
}

#[test]
fn what_lies_beyond_the_outline_says_where_and_how_to_mend_it() {
    use outpost_fences::outline::{self, Repair};
    let square = |west: f64, south: f64, size: f64| {
        polygon(&[(west, south), (west + size, south), (west + size, south + size), (west, south + size)], &[])
    };
    let outline = fence("district", Shape::Polygon(square(106.0, 29.0, 0.1)));
    let beyond = |shape| outline::beyond(&fence("grid", shape), &outline);
    // Along the border, and a little over it: borders are drawn by different hands.
    assert_eq!(beyond(Shape::Polygon(square(106.0, 29.0, 0.05))), None);
    assert_eq!(beyond(Shape::Polygon(square(105.9996, 29.0, 0.05))), None);
    assert_eq!(outline::beyond(&outline, &outline), None);

    let out = beyond(Shape::Polygon(square(106.08, 29.04, 0.04))).expect("two corners are beyond");
    assert_eq!((out.n_beyond, out.n_corners, out.farthest.lon), (2, 4, 106.12));
    assert!((out.beyond_m - 1_946.0).abs() < 5.0, "{}", out.beyond_m);
    let Repair::MoveTo(place) = out.repair else { panic!("{:?}", out.repair) };
    assert!((place.lon - 106.1).abs() < 1e-9 && (place.lat - out.farthest.lat).abs() < 1e-6, "{place:?}");

    let shifted = |p: (f64, f64)| Coordinates::Gcj02.from_wgs84(point(p.0, p.1));
    let corners = [(106.06, 29.06), (106.0995, 29.06), (106.0995, 29.0995), (106.06, 29.0995)].map(shifted);
    let drawn = outpost_fences::Polygon::new(&corners, &[]).unwrap();
    assert_eq!(beyond(Shape::Polygon(drawn)).map(|out| out.repair), Some(Repair::ReadAs(Coordinates::Gcj02)));
    let line = |points: &[Point]| Shape::Line(outpost_fences::Line::new(points).unwrap());
    let low = fence("low", Shape::Polygon(square(30.0, 20.0, 1.0)));
    let swapped = outline::beyond(&fence("s", line(&[point(20.5, 30.2), point(20.6, 30.3)])), &low);
    assert_eq!(swapped.map(|out| out.repair), Some(Repair::Swap));
    assert_eq!(outline::beyond(&low, &fence("line", line(&[point(1.0, 1.0), point(2.0, 2.0)]))), None);
}
