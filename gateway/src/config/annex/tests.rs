//! Elements put, removed and appended as text; what stays and what is refused.

use super::*;

const ANNEX: &str = r#"# Drawn by the night shift.

# Ask Li before changing this.
[[rules]]
id = "gas"
detect = { kind = "threshold", above = 1.0 }

[[rules.examples]]
given = []

[[sources]]
id = "a/b"   # by the gate

[[rules]]
id = "co"
"#;

#[test]
fn an_element_is_replaced_where_it_stands_and_all_else_stays() {
    let (edited, line) = put(ANNEX, Table::Rules, "gas", "\n[[rules]]\nid = \"gas\"\nname = \"x\"\n\n").unwrap();
    let expected = ANNEX.replace(
        "# Ask Li before changing this.\n[[rules]]\nid = \"gas\"\ndetect = { kind = \"threshold\", above = 1.0 }\n\n\
         [[rules.examples]]\ngiven = []\n",
        "[[rules]]\nid = \"gas\"\nname = \"x\"\n",
    );
    assert_eq!((edited.as_str(), line), (expected.as_str(), 3));
    assert_eq!(put(&edited, Table::Rules, "gas", "[[rules]]\nid = \"gas\"\nname = \"x\"").unwrap().0, edited);
}

#[test]
fn a_new_element_comes_to_the_end() {
    let (edited, line) = put(ANNEX, Table::Sources, "c", "[[sources]]\nid = \"c\"").unwrap();
    assert_eq!(edited, format!("{ANNEX}\n[[sources]]\nid = \"c\"\n"));
    assert_eq!(edited.lines().nth(line - 1), Some("[[sources]]"));
    assert_eq!(
        put("", Table::Sources, "c", "[[sources]]\nid = \"c\"").unwrap(),
        ("[[sources]]\nid = \"c\"\n".into(), 1)
    );
}

#[test]
fn an_element_is_removed_with_its_comment() {
    let edited = remove(ANNEX, Table::Rules, "gas").unwrap();
    assert!(edited.starts_with("# Drawn by the night shift.\n\n[[sources]]\n"), "{edited}");
    let edited = remove(&remove(&edited, Table::Rules, "co").unwrap(), Table::Sources, "a/b").unwrap();
    assert_eq!(edited, "# Drawn by the night shift.\n\n");
    let nothing = EditError::Nothing { table: Table::Rules, id: "co".into() };
    assert_eq!(remove(&edited, Table::Rules, "co"), Err(nothing));
}

#[test]
fn a_drawn_fence_is_known_by_its_own_id() {
    let fence = r#"[[fences]]
geojson = '''{"type":"Feature","id":"yard","properties":{},"geometry":{"type":"Polygon",
"coordinates":[[[106,29],[106.1,29],[106.1,29.1],[106,29]]]}}'''
"#;
    let (edited, _) = put(ANNEX, Table::Fences, "yard", fence).unwrap();
    let written = super::written(&edited, DeTable::parse(&edited).unwrap().get_ref(), 0);
    assert_eq!(written.last().map(|last| (last.table, last.id.as_str())), Some((Table::Fences, "yard")));
    assert_eq!(written.last().unwrap().text, fence);
}

#[test]
fn a_draft_that_is_no_element_of_that_name_says_where() {
    let fault = |draft: &str| put(ANNEX, Table::Rules, "gas", draft).unwrap_err().to_string();
    assert!(fault("[[rules]]\nid = gas").starts_with("line 2: "), "{}", fault("[[rules]]\nid = gas"));
    assert_eq!(fault("[[rules]]\nid = \"gaz\""), "line 1: the draft is of \"gaz\", the address says \"gas\"");
    for draft in ["", "[[sources]]\nid = \"gas\"", "[[rules]]\nid = \"gas\"\n[[rules]]\nid = \"b\""] {
        assert_eq!(fault(draft), "line 1: a draft is one element, which begins with [[rules]]", "{draft}");
    }
    let message = "line 1: an annex has only cameras, sources, fences, rules, no api";
    assert_eq!(fault("[api]\nlisten = \"0.0.0.0:80\"\n[[rules]]\nid = \"gas\""), message);
    assert!(fault("rules = [{ id = \"gas\" }]").contains("[[rules]]"));
    assert!(fault(&format!("[[rules]]\nid = \"gas\"\n#{}", "x".repeat(ELEMENT_BYTES_MAX))).contains("bytes"));
}

#[test]
fn what_cannot_be_cut_out_is_left_to_people() {
    let scattered = "[[rules]]\nid = \"a\"\n[[sources]]\nid = \"s\"\n[[rules.examples]]\ngiven = []\n";
    let error = remove(scattered, Table::Rules, "a").unwrap_err();
    assert_eq!(error, EditError::Annex("line 1: parts of \"a\" stand behind other elements".into()));
    assert!(matches!(put("a = [", Table::Rules, "a", "[[rules]]\nid = \"a\""), Err(EditError::Annex(_))));
}

#[test]
fn an_annex_names_nothing_outside_of_itself() {
    let lines = |text: &str| {
        let found = strangers(text, Path::new("/etc/outpost/annex.secrets"));
        let mut lines: Vec<_> = found.into_iter().map(|misfit| line_of(text, misfit.at)).collect();
        lines.sort_unstable();
        lines
    };
    let text = r#"[[cameras]]
id = "a"
password = { file = "/etc/outpost/annex.secrets/a-1" }
[[cameras]]
id = "b"
password = { file = "/etc/shadow" }
ca_file = "/etc/ssl/ca.pem"
[[sources]]
id = "c"
ptz = { password = { env = "OUTPOST_API_TOKEN" } }
[[fences]]
file = "other.geojson"
[[cameras]]
password = { file = "/etc/outpost/annex.secrets/../outpost.token" }
"#;
    assert_eq!(lines(text), [6, 7, 10, 12, 14]);
}

proptest::proptest! {
    #[test]
    fn no_text_does_harm(text in "[\\[\\]a-z=\"'{}#\n. ]{0,80}") {
        let draft = "[[rules]]\nid = \"a\"";
        if let Ok((edited, line)) = put(&text, Table::Rules, "a", draft) {
            let shown = edited.lines().nth(line - 1);
            proptest::prop_assert_eq!(shown, Some("[[rules]]"));
            proptest::prop_assert!(misfits(&edited).is_empty());
        }
        let _ = put(ANNEX, Table::Rules, "gas", &text);
        let _ = remove(&text, Table::Rules, "a");
    }
}
