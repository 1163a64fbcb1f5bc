//! Cameras as a table, `configs/cameras.example.csv`: each line becomes an element of the annex. Pure.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

/// Lines of one table.
pub const ROWS_MAX: usize = 5_000;

/// A line that could be read.
#[derive(Clone, PartialEq, Eq)]
pub struct CameraRow {
    /// Line of the table, from 1; the first names the columns.
    pub no: u64,
    pub id: String,
    pub password: Option<String>,
    /// TOML of all but the password.
    text: String,
}

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowFault {
    pub no: u64,
    /// Empty where it is about the line.
    pub column: String,
    pub message: String,
}

/// A line as it is written. What is empty is as absent.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    id: String,
    url: String,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    main: Option<String>,
    #[serde(default)]
    username: Option<String>,
    #[serde(default)]
    password: Option<String>,
    #[serde(default)]
    lon: Option<f64>,
    #[serde(default)]
    lat: Option<f64>,
    #[serde(default)]
    transport: Option<String>,
}

/// The same as TOML.
#[derive(Serialize)]
struct Element<'a> {
    id: &'a str,
    name: &'a str,
    url: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    main: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    transport: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<[f64; 2]>,
}

impl CameraRow {
    /// The element of the annex; `secret` is the file of its password.
    pub fn element(&self, secret: Option<&str>) -> String {
        let secret = secret.map(|file| format!("password = {{ file = {} }}\n", toml::Value::from(file)));
        format!("[[cameras]]\n{}{}", self.text, secret.unwrap_or_default())
    }
}

impl std::fmt::Debug for CameraRow {
    /// Without the password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CameraRow").field("no", &self.no).field("id", &self.id).finish_non_exhaustive()
    }
}

/// Reads a table; its lines and what is wrong with others, both in the order of the table.
pub fn read(text: &str) -> (Vec<CameraRow>, Vec<RowFault>) {
    // What a spreadsheet puts before UTF-8.
    let text = text.trim_start_matches('\u{feff}');
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
    let fault =
        |no, column: &str, message: &str| RowFault { no, column: column.to_owned(), message: message.to_owned() };
    let headers = match reader.headers() {
        Ok(headers) => headers.clone(),
        Err(error) => return (Vec::new(), vec![fault(1, "", &error.to_string())]),
    };
    let (mut rows, mut faults, mut seen) = (Vec::new(), Vec::new(), HashSet::new());
    for (n, record) in reader.records().enumerate() {
        // With quoted line ends a row may take several lines; people count them as their editor does.
        let no = match &record {
            Ok(record) => record.position().map_or(n as u64 + 2, csv::Position::line),
            Err(error) => error.position().map_or(n as u64 + 2, csv::Position::line),
        };
        if n >= ROWS_MAX {
            faults.push(fault(no, "", &format!("a table has at most {ROWS_MAX} lines")));
            break;
        }
        match record.and_then(|record| record.deserialize::<Line>(Some(&headers))) {
            Ok(line) => match row(no, line) {
                Ok(row) if !seen.insert(row.id.clone()) => {
                    faults.push(fault(no, "id", "this id is on an earlier line"))
                }
                Ok(row) => rows.push(row),
                Err((column, message)) => faults.push(fault(no, column, message)),
            },
            Err(error) => faults.push(told(no, &headers, &error)),
        }
    }
    if rows.is_empty() && faults.is_empty() {
        faults.push(fault(1, "", "there is no line below the names of the columns"));
    }
    (rows, faults)
}

fn row(no: u64, line: Line) -> Result<CameraRow, (&'static str, &'static str)> {
    let given = |text: Option<String>| text.filter(|text| !text.is_empty());
    let (name, main, transport) = (given(line.name), given(line.main), given(line.transport));
    let (username, password) = (given(line.username), given(line.password));
    if password.is_some() && username.is_none() {
        return Err(("username", "there is a password and no username to it"));
    }
    let place = match (line.lon, line.lat) {
        (Some(lon), Some(lat)) => Some([lon, lat]),
        (None, None) => None,
        (Some(_), None) => return Err(("lat", "there is a longitude and no latitude")),
        (None, Some(_)) => return Err(("lon", "there is a latitude and no longitude")),
    };
    let element = Element {
        id: &line.id,
        name: name.as_deref().unwrap_or_default(),
        url: &line.url,
        main: main.as_deref(),
        username: username.as_deref(),
        transport: transport.as_deref(),
        place,
    };
    let text = toml::to_string(&element).map_err(|_| ("", "this line cannot be written as TOML"))?;
    Ok(CameraRow { no, id: line.id, password, text })
}

/// An error without what stood in the line: it may be a password.
fn told(no: u64, headers: &csv::StringRecord, error: &csv::Error) -> RowFault {
    let (column, message) = match error.kind() {
        csv::ErrorKind::Deserialize { err, .. } => {
            let column = err.field().and_then(|field| headers.get(usize::try_from(field).ok()?)).unwrap_or_default();
            let message = match err.kind() {
                csv::DeserializeErrorKind::Message(message) => message.clone(),
                csv::DeserializeErrorKind::ParseFloat(_) => "is not a number".to_owned(),
                other => other.to_string(),
            };
            (column.to_owned(), message)
        }
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            (String::new(), format!("{len} columns, not {expected_len}"))
        }
        csv::ErrorKind::Utf8 { .. } => (String::new(), "not UTF-8".to_owned()),
        _ => (String::new(), "cannot be read".to_owned()),
    };
    RowFault { no, column, message }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn a_table_becomes_cameras_and_its_passwords_stay_out_of_them() {
        let text = "\u{feff}id,name,url,username,password,lon,lat,transport\n\
            gate,\"大门, 东\",rtsp://192.0.2.1/1,admin,hunter2,106.05,29.84,udp\n\
            hall,,rtsp://192.0.2.2/1,,,,,\n";
        let (rows, faults) = read(text);
        assert_eq!(faults, []);
        assert_eq!(rows.iter().map(|row| (row.no, row.id.as_str())).collect::<Vec<_>>(), [(2, "gate"), (3, "hall")]);
        assert_eq!(rows[0].password.as_deref(), Some("hunter2"));
        let toml = rows[0].element(Some("/srv/\"x\"")) + &rows[1].element(None);
        assert!(!toml.contains("hunter2"), "{toml}");
        let config: Config = toml::from_str(&toml).unwrap();
        let (gate, hall) = (&config.cameras[0], &config.cameras[1]);
        assert_eq!((gate.name.as_str(), gate.place, hall.place), ("大门, 东", Some([106.05, 29.84]), None));
        assert_eq!(format!("{:?}", gate.password), "Some(file /srv/\"x\")");
        assert!(hall.username.is_none() && hall.password.is_none());
    }

    #[test]
    fn each_line_that_is_wrong_says_in_which_column_and_repeats_no_password() {
        let text = "id,url,username,password,lon,lat\n\
            a,rtsp://192.0.2.1/,,hunter2,,\n\
            b,rtsp://192.0.2.1/,u,hunter2,east,29\n\
            c,rtsp://192.0.2.1/,u,hunter2,106,\n\
            d,rtsp://192.0.2.1/,u,hunter2\n\
            e,rtsp://192.0.2.1/,,,,\n\
            e,rtsp://192.0.2.1/,,,,\n";
        let (rows, faults) = read(text);
        assert_eq!(rows.iter().map(|row| row.id.as_str()).collect::<Vec<_>>(), ["e"]);
        let places: Vec<(u64, &str)> = faults.iter().map(|fault| (fault.no, fault.column.as_str())).collect();
        assert_eq!(places, [(2, "username"), (3, "lon"), (4, "lat"), (5, ""), (7, "id")]);
        assert!(!format!("{faults:?}").contains("hunter2"), "{faults:?}");
    }

    #[test]
    fn a_table_that_is_none_says_so() {
        assert_eq!(read("").1.len(), 1);
        assert!(read("id,url,chief\na,rtsp://192.0.2.1/,li\n").1[0].message.contains("chief"));
        let long: String =
            "id,url\n".to_owned() + &(0..=ROWS_MAX).map(|n| format!("{n},rtsp://h/\n")).collect::<String>();
        let (rows, faults) = read(&long);
        assert_eq!((rows.len(), faults.len()), (ROWS_MAX, 1));
    }
}
