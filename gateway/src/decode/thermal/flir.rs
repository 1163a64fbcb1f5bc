//! Radiometric pictures of FLIR's cameras as messages.

use outpost_detectors::observation::Surface;

use super::super::Arrival;
use super::super::radiometric::Radiometric;
use super::super::reject::{Decoded, RejectReason};
use super::Imager;

#[derive(Debug)]
pub(in crate::decode) struct ThermalFlirReader {
    imager: Imager,
}

impl ThermalFlirReader {
    pub(in crate::decode) fn new(imager: Imager) -> Self {
        ThermalFlirReader { imager }
    }

    pub(in crate::decode) fn read(&self, arrival: &Arrival<'_>, out: &mut Decoded) {
        let picture = match Radiometric::read(arrival.payload) {
            Ok(picture) => picture,
            Err(error) => return out.reject(arrival, RejectReason::NotRadiometric, format_args!("{error}")),
        };
        let mut scene = picture.scene;
        if let Some(Surface { emissivity, reflected_c }) = self.imager.surface {
            (scene.emissivity, scene.reflected_c) = (emissivity.into(), reflected_c.into());
        }
        let surface = Surface { emissivity: scene.emissivity as f32, reflected_c: scene.reflected_c as f32 };
        super::tell(self.imager.frame(picture.celsius(&scene), surface, None), arrival, out);
    }
}
