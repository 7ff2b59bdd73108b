//! As much of json-formula 2.1 and of YAML as the C2PA's signal rubric needs, for tests only.
//!
//! Written after the published specification (json-formula 2.1.0, PDF Association). Whatever the rubric does not
//! use is refused, so that a later rubric cannot be misread in silence.

mod evaluate;
mod parse;
mod yaml;

pub(crate) use evaluate::{Engine, Failure, is_true};
pub(crate) use parse::{Expression, parse};
pub(crate) use yaml::documents;

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Engine, Failure, documents, parse};

    fn check(expression: &str, data: Value, expected: Value) {
        let engine = Engine::new(
            [("$list".to_owned(), json!(["a", "b"]))].into(),
            [
                ("_items".to_owned(), parse("items").unwrap()),
                (
                    "_with".to_owned(),
                    parse("$args[0].items[? kind == $args[1]]").unwrap(),
                ),
            ]
            .into(),
        );
        let found = engine.search(&parse(expression).unwrap(), &data);
        assert_eq!(found.unwrap(), expected, "{expression}");
    }

    #[test]
    fn fields_indices_and_chains_that_lead_nowhere_are_null() {
        let data = json!({ "foo": { "bar.v2": [1, 2] } });
        check("foo.'bar.v2'[1]", data.clone(), json!(2));
        check("foo.'bar.v2'[-1]", data.clone(), json!(2));
        check("foo.'bar.v2'[2]", data.clone(), Value::Null);
        check("foo.none.more", data.clone(), Value::Null);
        check("foo[0]", data.clone(), Value::Null);
        check("foo[? a == 1]", data, Value::Null);
    }

    #[test]
    fn literals_comparisons_and_connectives() {
        check("`true`", json!(null), json!(true));
        check("\"a\\u0041\"", json!(null), json!("aA"));
        check("1 == \"1\"", json!(null), json!(false));
        check("2 > 1 && 1 <= 1", json!(null), json!(true));
        check("a || b", json!({ "a": "", "b": "x" }), json!("x"));
        check("a && b", json!({ "a": 5, "b": [] }), json!([]));
        check("!a", json!({ "a": {} }), json!(true));
        check("a == null", json!({}), json!(true));
        check("`false` || 1 == 1 && 2 == 3", json!(null), json!(false));
        check("(`true` || 1 == 1) && 2 == 3", json!(null), json!(false));
    }

    #[test]
    fn null_becomes_the_empty_text_where_nothing_else_fits() {
        check("length(none)", json!({}), json!(0));
        check("length(\"Köln\")", json!(null), json!(4));
        check("length(a)", json!({ "a": [0, 0] }), json!(2));
        check("startsWith(none, \"c\")", json!({}), json!(false));
        check(
            "startsWith(\"c2pa.x\", \"c2pa.\")",
            json!(null),
            json!(true),
        );
        check("contains(none, \"x\")", json!({}), json!(false));
        check("contains(\"abc\", \"bc\")", json!(null), json!(true));
        check("contains($list, \"b\")", json!(null), json!(true));
        check("contains($list, none)", json!({}), json!(false));
    }

    #[test]
    fn named_expressions_see_the_callers_data_and_arguments_reach_into_filters() {
        let data = json!({ "items": [{ "kind": "a" }, { "kind": "b", "n": 1 }] });
        check("length(_items())", data.clone(), json!(2));
        check(
            "_items()[? n != null]",
            data.clone(),
            json!([{ "kind": "b", "n": 1 }]),
        );
        check("length(_with(@, \"a\"))", data, json!(1));
    }

    #[test]
    fn errors_are_told_apart() {
        let engine = Engine::default();
        let fail = |expression: &str| {
            engine
                .search(&parse(expression).unwrap(), &Value::Null)
                .unwrap_err()
        };
        assert!(matches!(fail("length(1)"), Failure::Type(_)));
        assert!(matches!(fail("contains(\"a\", 1)"), Failure::Type(_)));
        assert!(matches!(fail("upper(\"a\")"), Failure::Unsupported(_)));
        for wrong in ["a[*]", "a[? b].c", "a +  b", "a.", "(a", "\"a", "a b", ""] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn yaml_documents_come_apart() {
        let text = "a:\n- x\n- |-\n  y\n  z\n---\n- id: b:c\n  d: 'it''s'\n";
        assert_eq!(
            documents(text),
            [
                json!({ "a": ["x", "y\nz"] }),
                json!([{ "id": "b:c", "d": "it's" }])
            ]
        );
    }
}
