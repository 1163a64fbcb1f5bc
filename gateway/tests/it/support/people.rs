//! A district of two people: one at the desk, and one on the way with a terminal.

pub(crate) const PEOPLE: &str = r#"
[[centres]]
id = "district"
level = "district"
[[people]]
id = "desk"
centre = "district"
roles = ["clerk", "chief", "dispatcher", "officer"]
[[people]]
id = "li"
name = "李"
centre = "district"
roles = ["handler"]
unit = "一分队"
terminal = "gps/li"
[[sources]]
id = "gps/li"
"#;
