//! Neighbours along a line, as drains along a sewer: which of them stand together, and which way it goes. Pure.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use outpost_fences::Point;
use outpost_fences::sight::bearing_and_distance;

/// Sources from upstream to downstream.
pub(in crate::pipeline) type Line = Vec<Arc<str>>;

/// Which way alerts followed each other.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::pipeline) struct Course {
    is_downstream: bool,
    from: Arc<str>,
    to: Arc<str>,
    /// Clockwise from north, where both have places, and not the same one.
    pub(in crate::pipeline) bearing_deg: Option<f64>,
}

/// Whether two sources are of one line.
pub(super) fn are_in_line(lines: &[Line], a: &Arc<str>, b: &Arc<str>) -> bool {
    lines.iter().any(|line| line.contains(a) && line.contains(b))
}

/// The longest stretch of neighbours that all are there; the first of several.
pub(super) fn stretch(lines: &[Line], is_there: impl Fn(&Arc<str>) -> bool) -> &[Arc<str>] {
    let stretches = lines.iter().flat_map(|line| line.split(|source| !is_there(source)));
    stretches.fold(&[], |longest, found| if found.len() > longest.len() { found } else { longest })
}

impl Course {
    /// By most pairs of the stretch, whose alerts began at these times; none where as many say the one as the other.
    pub(super) fn of(stretch: &[(Arc<str>, i64)], point: impl Fn(&Arc<str>) -> Option<Point>) -> Option<Course> {
        let pairs = stretch.iter().enumerate().flat_map(|(at, a)| stretch[at + 1..].iter().map(move |b| a.1.cmp(&b.1)));
        let later = pairs.map(|order| order as i64).sum::<i64>();
        let (first, last) = (&stretch.first()?.0, &stretch.last()?.0);
        let (is_downstream, from, to) = match later.cmp(&0) {
            Ordering::Less => (true, first, last),
            Ordering::Greater => (false, last, first),
            Ordering::Equal => return None,
        };
        let bearing_deg = point(from).zip(point(to)).and_then(|(from, to)| {
            let (bearing_deg, distance_m) = bearing_and_distance(from, to);
            (distance_m > 0.0).then_some(bearing_deg)
        });
        Some(Course { is_downstream, from: from.clone(), to: to.clone(), bearing_deg })
    }
}

impl fmt::Display for Course {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Course { is_downstream, from, to, bearing_deg } = self;
        write!(f, "{} from {from} to {to}", if *is_downstream { "downstream" } else { "upstream" })?;
        match bearing_deg {
            Some(bearing_deg) => write!(f, ", towards the {} ({bearing_deg:.0}°)", wind(*bearing_deg)),
            None => Ok(()),
        }
    }
}

/// The nearest of the eight winds.
fn wind(bearing_deg: f64) -> &'static str {
    const WINDS: [&str; 8] = ["north", "north-east", "east", "south-east", "south", "south-west", "west", "north-west"];
    WINDS[(bearing_deg.rem_euclid(360.0) / 45.0).round() as usize % WINDS.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(names: &[&str]) -> Line {
        names.iter().map(|name| Arc::from(*name)).collect()
    }

    fn course(times: &[(&str, i64)]) -> Option<String> {
        let stretch: Vec<(Arc<str>, i64)> = times.iter().map(|(name, at_ms)| (Arc::from(*name), *at_ms)).collect();
        let point = |name: &Arc<str>| match &**name {
            "a" => Point::new(106.0, 29.6),
            "c" => Point::new(106.01, 29.59),
            "here" | "there" => Point::new(106.0, 29.0),
            _ => None,
        };
        Course::of(&stretch, point).map(|course| course.to_string())
    }

    #[test]
    fn neighbours_are_those_between_whom_none_is_missing() {
        let lines = [line(&["a", "b", "c", "d", "e"]), line(&["x", "c", "y"])];
        let longest = |there: &[&str]| {
            let found = stretch(&lines, |source| there.contains(&&**source));
            found.iter().map(|source| &**source).collect::<Vec<_>>().concat()
        };
        assert_eq!(longest(&["a", "b", "d", "e"]), "ab");
        assert_eq!(longest(&["b", "c", "e", "d"]), "bcde");
        assert_eq!(longest(&["x", "c", "y", "b"]), "xcy", "where sewers meet");
        assert_eq!(longest(&["z"]), "");
    }

    #[test]
    fn the_way_is_that_of_most_pairs() {
        assert_eq!(
            course(&[("a", 1), ("b", 2), ("c", 3)]).unwrap(),
            "downstream from a to c, towards the south-east (139°)"
        );
        assert_eq!(
            course(&[("a", 9), ("b", 9), ("c", 3)]).unwrap(),
            "upstream from c to a, towards the north-west (319°)"
        );
        assert_eq!(
            course(&[("a", 1), ("b", 3), ("q", 2)]).unwrap(),
            "downstream from a to q",
            "nobody knows where q is"
        );
        assert_eq!(course(&[("here", 1), ("there", 2)]).unwrap(), "downstream from here to there");
        assert_eq!(course(&[("a", 1), ("b", 1), ("c", 1)]), None);
        assert_eq!(course(&[("a", 1), ("b", 2), ("c", 1)]), None);
    }

    #[test]
    fn each_wind_is_nearest_to_its_own_bearing() {
        let told = [0.0, 22.0, 23.0, 90.0, 225.0, 315.0, 337.0, 338.0].map(wind);
        assert_eq!(told, ["north", "north", "north-east", "east", "south-west", "north-west", "north-west", "north"]);
    }
}
