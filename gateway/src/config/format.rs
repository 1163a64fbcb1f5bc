//! What payloads are: the registry of formats as configuration writes them.

use serde::Deserialize;

use super::defaults;
use super::heat::SurfaceOf;

/// Payload formats; one file each in `decode/`.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Format {
    /// Plain number as text, e.g. `21.5`.
    Number {
        metric: String,
        unit: Option<String>,
        /// Unit of the payload, converted to `unit`; the same where absent.
        from: Option<String>,
    },
    /// JSON by mapping.
    Json {
        #[serde(default)]
        readings: Vec<JsonReading>,
        position: Option<JsonPosition>,
        time: Option<JsonTime>,
    },
    /// CBOR by mapping, as JSON. Keys that are integers are written with their digits: `/7`.
    Cbor {
        #[serde(default)]
        readings: Vec<JsonReading>,
        position: Option<JsonPosition>,
        time: Option<JsonTime>,
    },
    /// JSON of a Modbus gateway: an array of registers, and what they hold.
    Modbus {
        /// JSON pointer of the array.
        registers: String,
        readings: Vec<ModbusReading>,
        time: Option<JsonTime>,
    },
    /// SenML JSON, RFC 8428.
    Senml {},
    /// SenML CBOR, RFC 8428 section 6.
    SenmlCbor {},
    /// OwnTracks `location` messages.
    Owntracks {},
    /// ChirpStack v4 events as JSON. `{name}` is the device's DevEUI.
    Chirpstack {
        #[serde(default)]
        units: Vec<MetricUnit>,
    },
    /// Uplinks of The Things Stack v3. `{name}` is the device's DevEUI.
    TheThings {
        #[serde(default)]
        units: Vec<MetricUnit>,
    },
    /// Uplinks of Milesight's LoRaWAN gateways, decoded by their payload codecs. `{name}` is the device's DevEUI.
    Milesight {
        #[serde(default)]
        units: Vec<MetricUnit>,
    },
    /// Zigbee devices by Zigbee2MQTT.
    Zigbee2mqtt {
        #[serde(default)]
        units: Vec<MetricUnit>,
    },
    /// Tasmota's `SENSOR`, `STATE` and `LWT`.
    Tasmota {},
    /// Shelly's topics of the first generation, and status messages of later ones.
    Shelly {},
    /// Sparkplug B 3.0. `{name}`, which the source needs, is `group/node` or `group/node/device`.
    SparkplugB {},
    /// What devices announce by Home Assistant's MQTT discovery. `{name}`, which the source needs, is the device's first
    /// identifier.
    HomeAssistant {
        /// First levels of the topics of announcements.
        #[serde(default = "defaults::discovery_prefix")]
        prefix: String,
        /// Identifiers of devices that may register themselves, as source patterns: `*` any text. None where absent.
        #[serde(default)]
        allow: Vec<String>,
        /// Devices that are kept; announcements of further ones are rejected and counted.
        #[serde(default = "defaults::devices_max")]
        devices_max: usize,
    },
    /// Temperature matrix as JSON: numbers at a pointer, row-major, with declared or nested shape.
    ThermalJson {
        /// JSON pointer of the array: flat (then `columns` is required) or rows of rows.
        pixels: String,
        columns: Option<usize>,
        /// `Cel` (default), `K`, `cK` (hundredths of a kelvin) or `[degF]`.
        #[serde(default = "defaults::celsius")]
        unit: String,
        time: Option<JsonTime>,
        /// Where the imager looks, told with each frame.
        aim: Option<JsonAim>,
        /// JSON pointer of the frame's number, which grows by one: gaps are rejected and counted.
        sequence: Option<String>,
        #[serde(default)]
        imager: ImagerOf,
    },
    /// Raw unsigned 16-bit samples, row-major.
    ThermalU16(RawFrames),
    /// The same in floating-point samples of 32 bits; those that are no numbers are bad pixels.
    ThermalF32(RawFrames),
    /// Radiometric picture of a FLIR camera: JPEG, or an FFF block.
    ThermalFlir {
        #[serde(default)]
        imager: ImagerOf,
    },
}

/// Frames as rows of samples.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawFrames {
    pub columns: usize,
    pub rows: usize,
    #[serde(default)]
    pub packed: Packing,
    /// `cK`, `K`, `Cel` or `[degF]`. Default: `cK` of whole numbers, `Cel` of others.
    pub unit: Option<String>,
    #[serde(default)]
    pub byte_order: ByteOrder,
    #[serde(default)]
    pub imager: ImagerOf,
}

/// What is known of an imager beside its frames.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImagerOf {
    /// What it takes the surface for; radiometric pictures tell it themselves, and this goes first.
    pub surface: Option<SurfaceOf>,
    /// Pixels that are known to be bad, row and column from 0: they become what is around them.
    #[serde(default)]
    pub bad: Vec<[usize; 2]>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ByteOrder {
    #[default]
    Little,
    Big,
}

/// JSON pointers of where an imager looks, degrees.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JsonAim {
    /// Of the middle of the picture, clockwise from north.
    pub bearing: String,
    /// Of the middle of the picture, up from the horizon.
    pub elevation: String,
    /// Width of the picture.
    pub fov: Option<String>,
    /// Number of the preset.
    pub preset: Option<String>,
}

/// A value in one register or in several that follow each other.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModbusReading {
    pub metric: String,
    /// Place in the array, from 0.
    pub at: usize,
    #[serde(default)]
    pub holds: RegisterType,
    #[serde(default)]
    pub order: WordOrder,
    /// What is held times this, plus `offset`, is the value.
    #[serde(default = "defaults::scale")]
    pub scale: f64,
    #[serde(default)]
    pub offset: f64,
    pub unit: Option<String>,
    /// Unit of the payload, converted to `unit`; the same where absent.
    pub from: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RegisterType {
    #[default]
    U16,
    I16,
    U32,
    I32,
    F32,
    U64,
    I64,
    F64,
}

/// Which word of a value comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WordOrder {
    #[default]
    HighFirst,
    LowFirst,
}

/// The unit of a metric that the device names and whose unit it does not say.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetricUnit {
    pub metric: String,
    pub unit: String,
    /// Unit of the payload, converted to `unit`; the same where absent.
    pub from: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JsonReading {
    pub metric: String,
    /// JSON pointer (RFC 6901) of the number.
    pub value: String,
    pub unit: Option<String>,
    /// Unit of the payload, converted to `unit`; the same where absent.
    pub from: Option<String>,
    /// The device leaves it out at times (or sends null): that is no reject.
    #[serde(default)]
    pub optional: bool,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JsonPosition {
    pub lon: String,
    pub lat: String,
    pub accuracy: Option<String>,
    /// The device leaves it out at times (or sends null): that is no reject.
    #[serde(default)]
    pub optional: bool,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JsonTime {
    pub pointer: String,
    #[serde(default)]
    pub unit: TimeUnit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TimeUnit {
    /// RFC 3339 text.
    #[default]
    Iso,
    S,
    Ms,
    Us,
}

/// What is around the bytes of a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Packing {
    #[default]
    None,
    Base64,
    Gzip,
    /// Gzip, written as base64.
    GzipBase64,
}

impl Packing {
    pub fn is_gzip(self) -> bool {
        matches!(self, Packing::Gzip | Packing::GzipBase64)
    }
}

impl Format {
    /// Whether the decoder may have something to ask of the devices.
    pub fn asks(&self) -> bool {
        matches!(self, Format::SparkplugB {})
    }

    /// Whether what the broker retains under a filter is wanted anew at each start of the gateway, because what it announces
    /// is kept in memory only.
    pub fn wants_retained(&self, filter: &str) -> bool {
        let Format::HomeAssistant { prefix, .. } = self else { return false };
        let mut levels = filter.split('/');
        for level in prefix.split('/') {
            match levels.next() {
                Some("#") => return true,
                Some(found) if found == "+" || found == level => {}
                _ => return false,
            }
        }
        levels.next().is_some()
    }

    /// Whether payloads name their sources, so that `{name}` stands for something.
    pub fn has_names(&self) -> bool {
        match self {
            Format::Senml {} | Format::SenmlCbor {} | Format::Chirpstack { .. } | Format::TheThings { .. } => true,
            Format::Milesight { .. } | Format::SparkplugB {} | Format::HomeAssistant { .. } => true,
            Format::Number { .. } | Format::Json { .. } | Format::Cbor { .. } | Format::Owntracks {} => false,
            Format::Modbus { .. } => false,
            Format::Zigbee2mqtt { .. } | Format::Tasmota {} | Format::Shelly {} => false,
            Format::ThermalJson { .. } | Format::ThermalU16(_) | Format::ThermalF32(_) | Format::ThermalFlir { .. } => {
                false
            }
        }
    }
}

impl RegisterType {
    pub fn n_registers(self) -> usize {
        match self {
            RegisterType::U16 | RegisterType::I16 => 1,
            RegisterType::U32 | RegisterType::I32 | RegisterType::F32 => 2,
            RegisterType::U64 | RegisterType::I64 | RegisterType::F64 => 4,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_topics_of_announcements_are_wanted_anew() {
        let discovery = Format::HomeAssistant { prefix: "site/ha".into(), allow: Vec::new(), devices_max: 1 };
        for filter in ["#", "site/#", "site/ha/#", "+/ha/sensor/+/+/config", "site/+/+/+/config"] {
            assert!(discovery.wants_retained(filter), "{filter}");
        }
        for filter in ["site/ha", "site/haus/#", "zigbee2mqtt/#", "site/+", "$share/g/site/ha/#"] {
            assert!(!discovery.wants_retained(filter), "{filter}");
        }
        assert!(!Format::Tasmota {}.wants_retained("#"));
    }
}
