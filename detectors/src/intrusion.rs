//! Which moving blob stands in a zone. Knows nothing of the zone's shape, which comes in as a question, nor of time:
//! dwell is the latch's hold.

use crate::observation::Blob;

/// The biggest blob of at least `area_min` (share of the picture, 0..1) whose foot (middle of the lower edge) is in
/// the zone. The foot, because a tall thing in front of a zone covers it in the picture without standing in it.
pub fn in_zone(blobs: &[Blob], contains: impl Fn(f32, f32) -> bool, area_min: f32) -> Option<Blob> {
    let standing = blobs.iter().filter(|blob| {
        let (x, y) = blob.bottom_centre();
        blob.area >= area_min && contains(x, y)
    });
    standing.max_by(|a, b| a.area.total_cmp(&b.area)).copied()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn blob(left: f32, bottom: f32, area: f32) -> Blob {
        Blob { left, top: bottom - 0.3, right: left + 0.1, bottom, area }
    }

    #[test]
    fn the_foot_decides_not_the_head() {
        let lower_half = |_x: f32, y: f32| y >= 0.5;
        assert_eq!(in_zone(&[blob(0.2, 0.4, 0.05)], lower_half, 0.002), None);
        let standing = Blob { top: 0.1, ..blob(0.2, 0.6, 0.05) };
        assert_eq!(in_zone(&[standing], lower_half, 0.002), Some(standing));
    }

    #[test]
    fn the_biggest_in_the_zone_is_named() {
        let left_half = |x: f32, _y: f32| x < 0.5;
        let blobs = [blob(0.1, 0.9, 0.01), blob(0.2, 0.9, 0.03), blob(0.8, 0.9, 0.2), blob(0.3, 0.9, 0.001)];
        assert_eq!(in_zone(&blobs, left_half, 0.002), Some(blobs[1]));
        assert_eq!(in_zone(&blobs, left_half, 0.05), None);
    }

    #[test]
    fn a_blob_of_no_number_is_in_no_zone() {
        let nowhere = Blob { area: f32::NAN, ..blob(0.1, 0.9, 0.0) };
        assert_eq!(in_zone(&[nowhere], |_, _| true, 0.0), None);
    }

    proptest! {
        #[test]
        fn a_stricter_size_never_finds_more(
            blobs in prop::collection::vec((any::<f32>(), any::<f32>(), any::<f32>()), 0..20),
            area_min in any::<f32>(), stricter in 0.0..1.0_f32,
        ) {
            let blobs: Vec<Blob> = blobs.into_iter().map(|(left, bottom, area)| blob(left, bottom, area)).collect();
            let strict = in_zone(&blobs, |x, y| x > y, area_min + stricter);
            if let Some(found) = strict {
                let lenient = in_zone(&blobs, |x, y| x > y, area_min);
                prop_assert_eq!(lenient.map(|blob| blob.area.to_bits()), Some(found.area.to_bits()));
            }
        }
    }
}
