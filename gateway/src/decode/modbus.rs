//! JSON of Modbus gateways: an array of registers as the device has them, and what a feed says they hold. A value of 32 or
//! 64 bits is in registers that follow each other, high word first unless the feed says otherwise.

use std::sync::Arc;

use serde::de::{IgnoredAny, SeqAccess};

use crate::config::unit::Conversion;
use crate::config::{JsonTime, ModbusReading, RegisterType, WordOrder};

use super::json::{Encoding, Mapped, mapped_time, read_time};
use super::matrix::MatrixFault;
use super::pointer::{PointerSet, Slot, Want};
use super::reject::{Decoded, RejectReason};
use super::scalar::Scalar;
use super::{Arrival, conversion, converted, reading};

/// Registers of one message; one answer of Modbus has at most 125.
pub const REGISTERS_MAX: usize = 2000;

#[derive(Debug)]
pub(super) struct ModbusReader {
    pointers: PointerSet,
    registers: Mapped,
    time: Option<Mapped>,
    readings: Vec<Held>,
}

#[derive(Debug)]
struct Held {
    metric: Arc<str>,
    unit: Option<Arc<str>>,
    conversion: Option<Conversion>,
    at: usize,
    holds: RegisterType,
    order: WordOrder,
    scale: f64,
    offset: f64,
}

impl ModbusReader {
    pub(super) fn new(registers: &str, readings: &[ModbusReading], time: Option<&JsonTime>) -> Result<Self, String> {
        if readings.is_empty() {
            return Err("a modbus format needs readings".into());
        }
        let mut pointers = PointerSet::new();
        let registers = Mapped::new(&mut pointers, registers, Want::Registers, false)?;
        let time = time.map(|entry| mapped_time(&mut pointers, entry)).transpose()?;
        let held = |entry: &ModbusReading| {
            Ok(Held {
                metric: entry.metric.as_str().into(),
                unit: entry.unit.as_deref().map(Into::into),
                conversion: conversion(entry.from.as_deref(), entry.unit.as_deref())?,
                at: entry.at,
                holds: entry.holds,
                order: entry.order,
                scale: entry.scale,
                offset: entry.offset,
            })
        };
        let readings = readings.iter().map(held).collect::<Result<_, String>>()?;
        Ok(ModbusReader { pointers, registers, time, readings })
    }

    pub(super) fn read(&self, arrival: &Arrival<'_>, out: &mut Decoded) {
        self.pointers.read(Encoding::Json, arrival, out, |slots, out| self.observe(arrival, slots, out));
    }

    fn observe(&self, arrival: &Arrival<'_>, slots: &[Slot], out: &mut Decoded) {
        let pointer = &self.registers.pointer;
        let registers = match &slots[self.registers.slot] {
            Slot::Registers(registers) => registers,
            Slot::BadMatrix(cause) => {
                return out.reject(arrival, cause.reason, format_args!("{pointer}{}", cause.place));
            }
            Slot::Absent => {
                return out.reject(arrival, RejectReason::Missing, format_args!("{pointer}: nothing is there"));
            }
            Slot::Null => return out.reject(arrival, RejectReason::Missing, format_args!("{pointer}: null")),
            Slot::Other(found) => {
                let place = format_args!("{pointer}: expected an array, found {found}");
                return out.reject(arrival, RejectReason::WrongType, place);
            }
            _ => return out.reject(arrival, RejectReason::WrongType, format_args!("{pointer}: expected an array")),
        };
        let Some(at_ms) = read_time(self.time.as_ref(), arrival, slots, out) else { return };
        for held in &self.readings {
            match held.value(registers) {
                Ok(value) => {
                    let fact = reading(&held.metric, value, held.unit.as_ref());
                    out.observations.push(arrival.observation(at_ms, fact));
                }
                Err((reason, cause)) => out.reject(arrival, reason, format_args!("{pointer}/{}: {cause}", held.at)),
            }
        }
    }
}

impl Held {
    fn value(&self, registers: &[u16]) -> Result<f64, (RejectReason, &'static str)> {
        let n_words = self.holds.n_registers();
        let words = self.at.checked_add(n_words).and_then(|end| registers.get(self.at..end));
        let words = words.ok_or((RejectReason::Missing, "the array ends before"))?;
        let word = |bits: u64, word: &u16| bits << 16 | u64::from(*word);
        let bits = match self.order {
            WordOrder::HighFirst => words.iter().fold(0, word),
            WordOrder::LowFirst => words.iter().rev().fold(0, word),
        };
        let raw = match self.holds {
            RegisterType::U16 | RegisterType::U32 | RegisterType::U64 => bits as f64,
            RegisterType::I16 => f64::from(bits as i16),
            RegisterType::I32 => f64::from(bits as i32),
            RegisterType::I64 => bits as i64 as f64,
            RegisterType::F32 => f64::from(f32::from_bits(bits as u32)),
            RegisterType::F64 => f64::from_bits(bits),
        };
        converted(raw * self.scale + self.offset, self.conversion.as_ref())
            .ok_or((RejectReason::NotFinite, "expected a finite number"))
    }
}

/// Reads the array to its end in any case. Registers are 0 to 65535, or signed as some gateways have them.
pub(super) fn read_registers<'de, A: SeqAccess<'de>>(mut seq: A) -> Result<Result<Vec<u16>, MatrixFault>, A::Error> {
    let mut registers = Vec::new();
    while let Some(value) = seq.next_element::<Scalar<'_>>()? {
        let i = registers.len();
        let refused = match value {
            _ if i >= REGISTERS_MAX => (RejectReason::TooLarge, format!("/{i}: more registers than are read")),
            Scalar::Number(number) if number.fract() == 0.0 && (-32_768.0..=65_535.0).contains(&number) => {
                registers.push(number as i32 as u16);
                continue;
            }
            Scalar::Number(number) => (RejectReason::OutOfRange, format!("/{i}: {number} is no register")),
            other => (RejectReason::WrongType, format!("/{i}: expected a number, found {}", other.kind())),
        };
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        let (reason, place) = refused;
        return Ok(Err(MatrixFault { reason, place }));
    }
    Ok(Ok(registers))
}
