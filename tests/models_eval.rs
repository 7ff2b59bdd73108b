//! `bonafide models eval` on the committed list: the shipped model, the shipped path, the same bytes each time.
//!
//! The list is far too small to say anything about the model; what is tested is the arithmetic around it.

use std::fs;

use serde_json::Value;

use crate::support::{command, finish, run};

const LIST: &str = "fixtures/evaluation.csv";

#[test]
fn the_committed_list_gives_figures_and_the_same_bytes_again() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("report");
    let first = finish(
        command()
            .args([
                "models", "eval", LIST, "--format", "json", "--jobs", "1", "--out",
            ])
            .arg(&out),
    );
    assert_eq!(first.code, Some(0), "{first:?}");
    let again = run(["models", "eval", LIST, "--format", "json", "--jobs", "3"]);
    assert_eq!(first.out, again.out);
    assert_eq!(
        fs::read_to_string(out.join("evaluation.json")).unwrap(),
        first.out
    );

    let found: Value = serde_json::from_str(&first.out).unwrap();
    assert_eq!(found["schema"], "bonafide.evaluation/1");
    assert_eq!(
        (&found["list"]["real"], &found["list"]["synthetic"]),
        (&3.into(), &3.into())
    );
    for (tier, name) in ["clean", "web", "hard"].into_iter().enumerate() {
        let tier = &found["tiers"][tier];
        assert_eq!(tier["name"], name);
        let auc = &tier["by_source"]["auc"];
        let figure = |field: &str| auc[field].as_f64().unwrap();
        assert!(
            figure("low") <= figure("value") && figure("value") <= figure("high"),
            "{auc}"
        );
        assert!(tier["baselines"]["format"].is_f64() && tier["baselines"]["thumbnail"].is_f64());
        assert_eq!(tier["by_picture"].as_object().unwrap().len(), 10);
    }
    let names = |table: &str| -> Vec<String> {
        let rows = found[table].as_array().unwrap().iter();
        rows.map(|row| {
            format!(
                "{}:{}",
                row["label"].as_str().unwrap(),
                row["name"].as_str().unwrap()
            )
        })
        .collect()
    };
    assert_eq!(
        names("sources"),
        [
            "real:rendered jpeg",
            "real:rendered png",
            "synthetic:declared jpeg",
            "synthetic:declared png"
        ]
    );
    assert_eq!(names("groups"), ["real:day", "real:night"]);
    assert_eq!(found["gates"].as_array().unwrap().len(), 5);
    let png = &found["gates"][3];
    assert_eq!(
        (&png["treatment"], &png["before"]),
        (&"png".into(), &png["after"])
    );
    assert_eq!(
        found["delivery"]["treatments"].as_object().unwrap().len(),
        12
    );

    let page = fs::read_to_string(out.join("evaluation.html")).unwrap();
    assert!(page.contains("<polyline") && page.contains("rendered png"));
    let markdown = fs::read_to_string(out.join("evaluation.md")).unwrap();
    assert!(markdown.contains("## Bias gates") && markdown.contains("| rendered png | real | 1 |"));
}

#[test]
fn a_list_with_bad_rows_examines_nothing_and_a_missing_picture_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("list.csv");
    let eval = |text: &str| {
        fs::write(&list, text).unwrap();
        finish(
            command()
                .args(["models", "eval", "--format", "json"])
                .arg(&list),
        )
    };
    let bad = eval("path,label\na.jpg,real\nb.jpg,genuine\n");
    assert_eq!((bad.code, bad.out.as_str()), (Some(2), ""), "{bad:?}");
    assert!(
        bad.err.contains("line 3 has the label \"genuine\"") && bad.err.contains("hint: "),
        "{bad:?}"
    );

    let missing = eval("path,label\nnot-there.jpg,real\nnor-this.jpg,synthetic\n");
    assert_eq!(missing.code, Some(3), "{missing:?}");
    assert!(missing.err.contains("not-there.jpg: "), "{missing:?}");
    let found: Value = serde_json::from_str(&missing.out).unwrap();
    assert_eq!(found["unread"].as_array().unwrap().len(), 2);
    assert_eq!(found["tiers"][0]["by_source"], serde_json::json!({}));
}
