//! Our signals against the C2PA's own rubric, evaluated from its YAML over the library's crJSON.
//!
//! crJSON and our manifest model leave the library by different doors, so this also tests the model. Needs
//! `../shared/trust` for the rubric and, for real files, `../shared/corpus`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::Cursor,
    path::PathBuf,
    sync::Arc,
};

use c2pa::{Builder, Context, EphemeralSigner, Reader};
use media::{Kind, Limits, Media, Name};
use provenance::Judge;
use serde_json::{Value, json};

use crate::{
    corpus::{at, judge, open, table},
    json_formula::{Engine, Expression, Failure, documents, is_true, parse},
};

/// The local signals rubric.
struct Rubric {
    engine: Engine,
    /// Id and expression of each statement.
    statements: Vec<(String, Expression)>,
}

impl Rubric {
    fn load() -> Option<Self> {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join("../../shared/trust/asset-rubrics/asset-rubric-signals-local.yml");
        if !path.is_file() {
            println!("SKIPPED: ../shared/trust/asset-rubrics is not here");
            return None;
        }
        let documents = documents(&fs::read_to_string(path).unwrap());
        let [information, statements] = documents.as_slice() else {
            panic!("two documents are expected");
        };
        assert_eq!(
            information["rubric_metadata"]["date"],
            "2026-08-06T00:00:00Z"
        );
        let globals = information["variables"].as_object().unwrap().clone();
        let named = information["expressions"].as_object().unwrap().iter();
        let text = |value: &Value| value.as_str().unwrap().trim().to_owned();
        Some(Self {
            engine: Engine::new(
                globals.into_iter().collect(),
                named
                    .map(|(name, body)| (name.clone(), parse(&text(body)).unwrap()))
                    .collect(),
            ),
            statements: statements
                .as_array()
                .unwrap()
                .iter()
                .map(|one| (text(&one["id"]), parse(&text(&one["expression"])).unwrap()))
                .collect(),
        })
    }

    /// The ids that hold for one manifest of a crJSON document. As in the C2PA's evaluator, a statement
    /// that ends in an error does not hold.
    fn signals(&self, manifest: &Value) -> Vec<String> {
        let holds = |expression: &Expression| match self.engine.search(expression, manifest) {
            Ok(value) => is_true(&value),
            Err(Failure::Type(error)) => {
                println!("{}: {error}", manifest["label"]);
                false
            }
            Err(Failure::Unsupported(what)) => panic!("{what} is not supported"),
        };
        self.statements
            .iter()
            .filter(|(_, expression)| holds(expression))
            .map(|(id, _)| id.clone())
            .collect()
    }

    /// The ids that hold for the active manifest of a file; none where the library reads none.
    fn of_file(&self, media: &Media) -> Vec<String> {
        let Some(document) = cr_json(media) else {
            return Vec::new();
        };
        self.signals(&document["manifests"][0])
    }
}

fn context() -> Arc<Context> {
    let settings = json!({
        "core": { "allowed_network_hosts": [] },
        "verify": { "ocsp_fetch": false, "remote_manifest_fetch": false },
        "builder": { "thumbnail": { "enabled": false } },
    });
    let context = Context::new().with_settings(settings.to_string().as_str());
    context.unwrap().into_shared()
}

fn cr_json(media: &Media) -> Option<Value> {
    let (format, bytes) = (media.kind.mime(), media.bytes());
    let reader = Reader::from_shared_context(&context());
    let reader = match media.kind {
        Kind::C2pa => reader.with_manifest_data_and_stream(bytes, format, Cursor::new(bytes)),
        _ => reader.with_stream(format, Cursor::new(bytes)),
    };
    Some(reader.ok()?.to_crjson_value().unwrap())
}

/// Counts what differs, and how often each id held.
struct Comparison<'a> {
    rubric: &'a Rubric,
    judge: Judge,
    files: usize,
    differences: usize,
    seen: BTreeMap<String, usize>,
}

impl<'a> Comparison<'a> {
    fn new(rubric: &'a Rubric) -> Self {
        Self {
            rubric,
            judge: judge(),
            files: 0,
            differences: 0,
            seen: BTreeMap::new(),
        }
    }

    fn add(&mut self, name: &str, media: &Media) {
        let official = self.rubric.of_file(media);
        let now = at("2026-11-23T12:00:00Z");
        let ours = self.judge.judge(media, None, now).signals;
        self.files += 1;
        if ours != official {
            self.differences += 1;
            println!("{name}:\n  rubric {official:?}\n  ours   {ours:?}");
        }
        for id in official {
            *self.seen.entry(id).or_default() += 1;
        }
    }

    /// The ids that were seen.
    fn finish(self) -> BTreeSet<String> {
        println!(
            "{} files, {} differ; {:#?}",
            self.files, self.differences, self.seen
        );
        assert_eq!(self.differences, 0);
        self.seen.into_keys().collect()
    }
}

#[test]
fn every_corpus_file_gives_the_rubrics_signals() {
    let (Some(rubric), Some(cases), Some(mutated)) = (
        Rubric::load(),
        table("cases.tsv"),
        table("mutated/mutated.tsv"),
    ) else {
        return;
    };
    let mut comparison = Comparison::new(&rubric);
    let mut files: Vec<String> = cases.iter().map(|row| row["file"].clone()).collect();
    files.extend(mutated.iter().map(|row| format!("mutated/{}", row["file"])));
    for file in &files {
        comparison.add(file, &open(file));
    }
    let seen = comparison.finish();
    assert!(seen.len() >= 6, "{seen:?}");
}

/// A JPEG whose active manifest has these assertions and ingredients.
fn made(definition: &Value) -> Media {
    let mut definition = definition.clone();
    definition["claim_generator_info"] = json!([{ "name": "test" }]);
    let mut builder = Builder::from_shared_context(&context())
        .with_definition(definition.to_string())
        .unwrap();
    let mut source = Cursor::new(Vec::new());
    image::RgbImage::new(16, 16)
        .write_to(&mut source, image::ImageFormat::Jpeg)
        .unwrap();
    source.set_position(0);
    let signer = EphemeralSigner::new("rubrics.test").unwrap();
    let mut signed = Cursor::new(Vec::new());
    builder
        .sign(&signer, "image/jpeg", &mut source, &mut signed)
        .unwrap();
    let name = Name::from_text("made.jpg");
    Media::from_bytes(name, None, signed.into_inner(), &Limits::default()).unwrap()
}

fn actions(created: bool, included: Option<bool>, actions: &[(&str, &str)]) -> Value {
    let actions: Vec<Value> = actions
        .iter()
        .map(|(action, source)| match *source {
            "" => json!({ "action": action }),
            source => json!({ "action": action, "digitalSourceType": source }),
        })
        .collect();
    let mut data = json!({ "actions": actions });
    if let Some(included) = included {
        data["allActionsIncluded"] = json!(included);
    }
    json!({ "label": "c2pa.actions.v2", "data": data, "created": created })
}

#[test]
fn made_files_give_every_signal_that_the_rubric_knows() {
    let Some(rubric) = Rubric::load() else {
        return;
    };
    let mut comparison = Comparison::new(&rubric);
    for definition in source_types().chain(open_questions()) {
        comparison.add(&definition.to_string(), &made(&definition));
    }
    let seen = comparison.finish();
    let known: BTreeSet<String> = rubric.statements.iter().map(|(id, _)| id.clone()).collect();
    assert_eq!(known.len(), 14);
    assert_eq!(seen, known);
}

/// Every source type with a creation and with edits of three kinds.
fn source_types() -> impl Iterator<Item = Value> {
    SOURCES.iter().flat_map(|source| {
        ["c2pa.edited", "c2pa.enhanced", "com.example.filter"].map(|edit| {
            let steps = [("c2pa.created", *source), (edit, *source)];
            json!({ "assertions": [actions(true, Some(true), &steps)] })
        })
    })
}

/// Manifests that leave something open.
fn open_questions() -> impl Iterator<Item = Value> {
    let start = ("c2pa.created", SOURCES[0]);
    let with = |assertions: &[Value]| json!({ "assertions": assertions });
    let whole = actions(true, Some(true), &[start]);
    let gathered = actions(false, Some(true), &[("c2pa.edited", SOURCES[3])]);
    let ingredient = json!({ "title": "a", "format": "image/png", "relationship": "componentOf" });
    let mut with_ingredient = with(std::slice::from_ref(&whole));
    with_ingredient["ingredients"] = json!([ingredient]);
    [
        with(&[actions(true, None, &[start])]),
        with(&[actions(true, Some(false), &[start])]),
        with(&[actions(true, Some(true), &[start, ("c2pa.unknown", "")])]),
        with(&[whole, gathered]),
        with_ingredient,
    ]
    .into_iter()
}

const SOURCES: [&str; 16] = [
    "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture",
    "http://cv.iptc.org/newscodes/digitalsourcetype/computationalCapture",
    "http://cv.iptc.org/newscodes/digitalsourcetype/compositeCapture",
    "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia",
    "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia",
    "http://cv.iptc.org/newscodes/digitalsourcetype/compositeSynthetic",
    "http://cv.iptc.org/newscodes/digitalsourcetype/composite",
    "http://cv.iptc.org/newscodes/digitalsourcetype/digitalArt",
    "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCreation",
    "http://cv.iptc.org/newscodes/digitalsourcetype/screenCapture",
    "http://cv.iptc.org/newscodes/digitalsourcetype/humanEdits",
    "http://cv.iptc.org/newscodes/digitalsourcetype/algorithmicMedia",
    "http://cv.iptc.org/newscodes/digitalsourcetype/virtualRecording",
    "http://c2pa.org/digitalsourcetype/empty",
    "http://c2pa.org/digitalsourcetype/trainedAlgorithmicData",
    // The rubric compares whole URIs, so this one is none of the above.
    "https://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia",
];
