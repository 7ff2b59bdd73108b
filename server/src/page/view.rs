//! A report as a page: which facts stand where, with every text out of a file cleaned and bounded. The
//! templates escape what they are given; this file sees to it that nothing they are given can hide, reorder or
//! flood.

use askama::Template;
use verdict::report::{
    AiStatus, Detection, Label, Manifest, ManifestState, Media, Model, Provenance, Report,
};

use super::words::{self, Badge};

/// `/`.
#[derive(Template)]
#[template(path = "upload.html")]
pub(crate) struct UploadPage {
    /// The most one upload may have, in words.
    pub(crate) max_bytes: String,
    /// What was wrong with the last one.
    pub(crate) problem: Option<String>,
}

/// A result that is not there yet.
#[derive(Template)]
#[template(path = "waiting.html")]
pub(crate) struct WaitingPage {
    /// Where the picture stands, after "The picture is".
    pub(crate) place: &'static str,
}

/// A page that only says something.
#[derive(Template)]
#[template(path = "message.html")]
pub(crate) struct MessagePage {
    /// The heading.
    pub(crate) title: &'static str,
    /// One or two sentences.
    pub(crate) text: &'static str,
}

/// A finished result.
#[derive(Template)]
#[template(path = "result.html")]
pub(crate) struct ResultPage {
    badge: Badge,
    summary: String,
    error: Option<String>,
    subject: Vec<Fact>,
    says: Vec<Fact>,
    labels: Vec<String>,
    history: Vec<Entry>,
    shows: Vec<Fact>,
    reasons: Vec<String>,
    report: String,
}

/// A name and a value.
#[derive(Debug, PartialEq, Eq)]
struct Fact {
    name: &'static str,
    value: String,
}

/// One credential of the history.
struct Entry {
    title: String,
    lines: Vec<String>,
}

impl ResultPage {
    /// The page of `report`; `json` is the same report as it is stored.
    pub(crate) fn new(report: &Report, json: &str) -> Self {
        Self {
            badge: words::badge(report.verdict.code),
            summary: shown(&report.verdict.summary),
            error: report.error.as_ref().map(|error| shown(&error.message)),
            subject: subject(&report.media),
            says: says(&report.provenance),
            labels: cut(&report.provenance.labels, label),
            history: cut(&report.provenance.manifests, entry),
            shows: shows(&report.detection),
            reasons: cut(&report.verdict.reasons, |reason| shown(&reason.text)),
            report: pretty(json),
        }
    }
}

fn fact(name: &'static str, value: impl Into<String>) -> Fact {
    let value = value.into();
    Fact { name, value }
}

fn subject(media: &Media) -> Vec<Fact> {
    let size = media.width.zip(media.height);
    [
        Some(fact("Name", shown(&media.name))).filter(|fact| !fact.value.is_empty()),
        media.kind.as_ref().map(|kind| fact("Kind", shown(kind))),
        media
            .declared_kind
            .as_ref()
            .map(|kind| fact("Sent as", shown(kind))),
        size.map(|(width, height)| fact("Size", format!("{width} × {height} pixels"))),
        media
            .bytes
            .map(|bytes| fact("Length", format!("{bytes} bytes"))),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn says(provenance: &Provenance) -> Vec<Fact> {
    let mut facts = vec![fact("Credential", words::manifest(provenance.manifest))];
    if matches!(
        provenance.manifest,
        ManifestState::Embedded | ManifestState::Sidecar
    ) {
        let signer = &provenance.signer;
        let name = [&signer.organisation, &signer.name]
            .into_iter()
            .flatten()
            .next()
            .map_or_else(|| "no name".to_owned(), |name| shown(name));
        facts.extend([
            fact("Content", words::content(provenance.content)),
            fact("Signature", words::signature(provenance.signature)),
            fact(
                "Signer",
                format!("{name}: {}", words::signer(signer.status)),
            ),
            fact("Time", words::time(provenance.time)),
            fact("History", words::history(provenance.history.status)),
        ]);
    }
    facts.push(fact("About AI", about_ai(provenance)));
    let uncovered = provenance.uncovered.len();
    if uncovered > 0 {
        facts.push(fact(
            "Unprotected",
            format!("{uncovered} byte ranges beside the credential"),
        ));
    }
    facts
}

fn about_ai(provenance: &Provenance) -> String {
    let ai = &provenance.ai;
    let words = words::ai(ai.status);
    match &ai.generator {
        Some(generator) if ai.status != AiStatus::NoneDeclared => {
            format!("{words} ({})", shown(generator))
        }
        Some(_) | None => words.to_owned(),
    }
}

fn label(label: &Label) -> String {
    let place = shown(&label.r#where);
    match &label.generator {
        Some(generator) => format!("{place}, {}: {}", shown(generator), shown(&label.text)),
        None => format!("{place}: {}", shown(&label.text)),
    }
}

fn entry(manifest: &Manifest) -> Entry {
    let or = |text: &Option<String>, otherwise: &str| {
        text.as_deref().map_or_else(|| otherwise.to_owned(), shown)
    };
    let mut title = format!(
        "{} by {}",
        or(&manifest.title, "no title"),
        or(&manifest.issuer, "somebody without a name")
    );
    if let Some(generator) = &manifest.claim_generator {
        title.push_str(&format!(" with {}", shown(generator)));
    }
    if let Some(time) = &manifest.signed_at {
        title.push_str(&format!(", {}", shown(time)));
    }
    let actions = cut(&manifest.actions, |action| shown(&action.action));
    let ingredients = cut(&manifest.ingredients, |ingredient| {
        format!("from {}", or(&ingredient.title, "a file without a title"))
    });
    Entry {
        title,
        lines: actions.into_iter().chain(ingredients).collect(),
    }
}

fn shows(detection: &Detection) -> Vec<Fact> {
    let mut facts = vec![fact("Reading", words::detection(detection.status))];
    if let Some(reason) = detection.reason {
        facts.push(fact("Because", words::plain(&reason)));
    }
    if let Some(probability) = detection.probability {
        facts.push(fact("Synthetic", percent(probability)));
    }
    facts.extend(
        cut(&detection.models, model)
            .into_iter()
            .map(|text| fact("Model", text)),
    );
    let watermarks = cut(&detection.watermarks, |mark| shown(&mark.key));
    facts.extend(watermarks.into_iter().map(|key| {
        fact(
            "Watermark",
            format!("{key}, with a public key: anyone can embed it"),
        )
    }));
    facts
}

fn model(model: &Model) -> String {
    let name = format!("{} {}", shown(&model.name), shown(&model.version));
    match model.probability {
        Some(probability) => format!("{name}: {}", percent(probability)),
        None => format!("{name}: {}", words::plain(&model.applicability)),
    }
}

/// A calibrated probability at even prior odds; never rounded to certainty.
fn percent(probability: f64) -> String {
    match probability {
        low if low < 0.01 => "under 1 % at even odds".to_owned(),
        high if high > 0.99 => "over 99 % at even odds".to_owned(),
        other => format!("{:.0} % at even odds", other * 100.0),
    }
}

/// The first [`MAX_ITEMS`] of a list: a file may have thousands, and the raw report has them all.
fn cut<T, U>(items: &[T], view: impl Fn(&T) -> U) -> Vec<U> {
    items.iter().take(MAX_ITEMS).map(view).collect()
}

/// `text` without what controls, hides or reorders text, and not longer than [`MAX_CHARS`].
fn shown(text: &str) -> String {
    let mut letters = text.chars();
    let mut clean: String = letters
        .by_ref()
        .take(MAX_CHARS)
        .map(|letter| match provenance::is_shown(letter) {
            true => letter,
            false => char::REPLACEMENT_CHARACTER,
        })
        .collect();
    if letters.next().is_some() {
        clean.push('…');
    }
    clean
}

/// Stored JSON with indents, and with letters that hide or reorder text written as their escapes: the same
/// value to a program, and what is there to a reader.
fn pretty(json: &str) -> String {
    let indented = serde_json::from_str::<serde_json::Value>(json)
        .and_then(|value| serde_json::to_string_pretty(&value))
        .unwrap_or_else(|_| json.to_owned());
    let mut text = String::with_capacity(indented.len());
    for letter in indented.chars() {
        if letter == '\n' || provenance::is_shown(letter) {
            text.push(letter);
        } else {
            let mut units = [0; 2];
            for unit in letter.encode_utf16(&mut units) {
                text.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    text
}

/// Items of one list on a page.
const MAX_ITEMS: usize = 50;

/// Letters of one text on a page.
const MAX_CHARS: usize = 500;

#[cfg(test)]
mod tests {
    use super::*;
    use media::{Limits, Name};
    use provenance::{Judge, Timestamp, TrustStore};
    use verdict::{DetectorSlot, Examiner, Options, Policy, report};

    fn examined() -> Report {
        let (policy, limits) = (Policy::default(), Limits::default());
        let judge = Judge::new(TrustStore::empty()).unwrap();
        let examiner = Examiner::new(judge, DetectorSlot::NoModel, policy, limits);
        let name = Name::from_text("a.jpg");
        let media = media::Media::from_bytes(name, None, b"no picture".to_vec(), &limits).unwrap();
        examiner.examine(&media, &Options::at(Timestamp(1_795_564_800)))
    }

    fn page(report: &Report) -> String {
        let json = serde_json::to_string(report).unwrap();
        ResultPage::new(report, &json).render().unwrap()
    }

    /// What no answer may contain, whatever a file says.
    #[track_caller]
    fn assert_harmless(page: &str) {
        let lower = page.to_lowercase();
        for tag in ["<img", "<b>", "<script>", "onerror=\"", "</pre><"] {
            assert!(!lower.contains(tag), "{tag} in {page}");
        }
        let letters = page.chars().filter(|letter| *letter != '\n');
        for letter in letters {
            assert!(provenance::is_shown(letter), "U+{:04X}", u32::from(letter));
        }
    }

    #[test]
    fn nothing_out_of_a_file_becomes_markup_or_hides() {
        let evil = "</pre><script>alert(1)</script><img src=x onerror=\"a\">\u{202e}gpj\u{1b}[31m\u{200b}\u{e0041}";
        let mut report = examined();
        report.media.name = evil.to_owned();
        report.verdict.summary = evil.to_owned();
        report.verdict.reasons[0].text = evil.to_owned();
        report.provenance.manifest = ManifestState::Embedded;
        report.provenance.signer.name = Some(evil.to_owned());
        report.provenance.ai.status = AiStatus::DeclaredFull;
        report.provenance.ai.generator = Some(evil.to_owned());
        report.provenance.labels = vec![Label {
            kind: report::LabelKind::Xmp,
            r#where: evil.to_owned(),
            generator: Some(evil.to_owned()),
            text: evil.to_owned(),
        }];
        report.provenance.manifests = vec![Manifest {
            label: evil.to_owned(),
            active: true,
            title: Some(evil.to_owned()),
            claim_generator: Some(evil.to_owned()),
            claim_version: Some(2),
            issuer: Some(evil.to_owned()),
            signed_at: Some(evil.to_owned()),
            actions: vec![report::Action {
                action: evil.to_owned(),
                digital_source_type: Some(evil.to_owned()),
            }],
            ingredients: Vec::new(),
        }];
        let page = page(&report);
        assert!(page.contains("alert(1)"), "the text itself is shown");
        assert_harmless(&page);
    }

    #[test]
    fn a_flood_is_cut_on_the_page_and_whole_in_the_report() {
        let mut report = examined();
        let reason = report.verdict.reasons[0].clone();
        report.verdict.reasons = vec![reason; 3_000];
        report.media.name = "n".repeat(100_000);
        let view = ResultPage::new(&report, &serde_json::to_string(&report).unwrap());
        assert_eq!(view.reasons.len(), MAX_ITEMS);
        assert_eq!(view.subject[0].value.chars().count(), MAX_CHARS + 1);
        assert!(view.report.len() > 100_000);
    }

    #[test]
    fn the_report_on_the_page_is_the_report() {
        let mut report = examined();
        report.media.name = "\u{202e}gpj.exe \u{e0041}".to_owned();
        let json = serde_json::to_string(&report).unwrap();
        let shown: serde_json::Value = serde_json::from_str(&pretty(&json)).unwrap();
        assert_eq!(shown, serde_json::to_value(&report).unwrap());
    }

    #[test]
    fn a_probability_is_never_certain() {
        assert_eq!(percent(0.0), "under 1 % at even odds");
        assert_eq!(percent(0.834), "83 % at even odds");
        assert_eq!(percent(1.0), "over 99 % at even odds");
    }
}
