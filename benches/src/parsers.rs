//! Parsers of JSON beside each other, on payloads of real devices and on the job's. Each walks a document as the decoder
//! of mapped payloads does: it streams, builds no tree, looks at every key and takes every number.

use std::fmt;
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::Failure;
use crate::job::Job;

/// How long each parser has a group of payloads at a time.
const SPELL: Duration = Duration::from_millis(100);

type Parse = fn(&[u8]) -> Option<f64>;

const PARSERS: [(&str, Parse); 4] =
    [("serde_json, text", serde_text), ("serde_json, bytes", serde_bytes), ("sonic-rs", sonic), ("simd-json", simd)];

/// `FOLDER ROUNDS`: payloads are the files `*.json` of each folder in it, and a folder is a row.
pub fn run(words: &[&str]) -> Result<(), Failure> {
    let [folder, rounds] = words else { return Err("expected FOLDER ROUNDS".into()) };
    let rounds: usize = rounds.parse()?;
    let mut job = String::new();
    Job::new(100).payload(123_456, 1_767_225_600_000, &mut job);
    let mut groups = vec![("the job".to_owned(), vec![job.into_bytes()])];
    let mut folders = std::fs::read_dir(Path::new(folder))?.collect::<Result<Vec<_>, _>>()?;
    folders.sort_by_key(std::fs::DirEntry::file_name);
    for entry in folders.into_iter().filter(|entry| entry.path().is_dir()) {
        let payloads = payloads(&entry.path())?;
        if !payloads.is_empty() {
            groups.push((entry.file_name().to_string_lossy().into_owned(), payloads));
        }
    }
    println!("| payloads | documents | bytes | {} |", PARSERS.map(|(name, _)| name).join(" | "));
    println!("|---|---|---|{}", "---|".repeat(PARSERS.len()));
    for (name, payloads) in groups {
        let mut fastest_ns = [f64::MAX; PARSERS.len()];
        for _ in 0..rounds {
            for ((_, parse), fastest_ns) in PARSERS.iter().zip(&mut fastest_ns) {
                *fastest_ns = fastest_ns.min(ns_per_document(*parse, &payloads)?);
            }
        }
        let bytes: usize = payloads.iter().map(Vec::len).sum();
        let mut row = format!("| {name} | {} | {} |", payloads.len(), bytes / payloads.len());
        for (at, ns) in fastest_ns.iter().enumerate() {
            row += &if at == 0 { format!(" {ns:.0} ns |") } else { format!(" {:.2} |", ns / fastest_ns[0]) };
        }
        println!("{row}");
    }
    Ok(())
}

/// Files of a folder that all parsers take.
fn payloads(folder: &Path) -> Result<Vec<Vec<u8>>, Failure> {
    let mut payloads = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            payloads.push(std::fs::read(path)?);
        }
    }
    payloads.retain(|payload| PARSERS.iter().all(|(_, parse)| parse(payload).is_some()));
    Ok(payloads)
}

fn ns_per_document(parse: Parse, payloads: &[Vec<u8>]) -> Result<f64, Failure> {
    let (begun, mut n) = (Instant::now(), 0);
    while begun.elapsed() < SPELL {
        for payload in payloads {
            black_box(parse(black_box(payload)).ok_or("a parser refuses what another takes")?);
        }
        n += payloads.len();
    }
    Ok(begun.elapsed().as_nanos() as f64 / n as f64)
}

fn serde_text(document: &[u8]) -> Option<f64> {
    let mut parser = serde_json::Deserializer::from_str(std::str::from_utf8(document).ok()?);
    Sum.deserialize(&mut parser).ok().filter(|_| parser.end().is_ok())
}

fn serde_bytes(document: &[u8]) -> Option<f64> {
    let mut parser = serde_json::Deserializer::from_slice(document);
    Sum.deserialize(&mut parser).ok().filter(|_| parser.end().is_ok())
}

fn sonic(document: &[u8]) -> Option<f64> {
    let mut parser = sonic_rs::Deserializer::from_slice(document);
    Sum.deserialize(&mut parser).ok().filter(|_| parser.end().is_ok())
}

/// It writes into what it reads: a copy is part of its price where payloads are shared, as ours are.
fn simd(document: &[u8]) -> Option<f64> {
    let mut copy = document.to_vec();
    Sum.deserialize(&mut simd_json::Deserializer::from_slice(&mut copy).ok()?).ok()
}

/// All numbers of a document, and the lengths of its keys and texts.
struct Sum;

impl<'de> DeserializeSeed<'de> for Sum {
    type Value = f64;

    fn deserialize<D: Deserializer<'de>>(self, parser: D) -> Result<f64, D::Error> {
        parser.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Sum {
    type Value = f64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<f64, E> {
        Ok(0.0)
    }

    fn visit_bool<E>(self, value: bool) -> Result<f64, E> {
        Ok(f64::from(u8::from(value)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<f64, E> {
        Ok(value as f64)
    }

    fn visit_u64<E>(self, value: u64) -> Result<f64, E> {
        Ok(value as f64)
    }

    fn visit_f64<E>(self, value: f64) -> Result<f64, E> {
        Ok(value)
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<f64, E> {
        Ok(value.len() as f64)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<f64, A::Error> {
        let mut sum = 0.0;
        while let Some(value) = seq.next_element_seed(Sum)? {
            sum += value;
        }
        Ok(sum)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<f64, A::Error> {
        let mut sum = 0.0;
        while let Some(key) = map.next_key_seed(Sum)? {
            sum += key + map.next_value_seed(Sum)?;
        }
        Ok(sum)
    }
}
