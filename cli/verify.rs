//! `bonafide verify`: what one file says about where it came from, in words, axis by axis.

use std::io::{self, Write};

use media::Media;
use verdict::{
    Code, Options, Report, Scope,
    report::{
        AiStatus, ContentState, HistoryStatus, Identity, IdentityStatus, ManifestState, Place,
        Provenance, SignatureState, Signer, SignerStatus, Source, TimeState,
    },
};

use crate::{
    args::VerifyArgs,
    clock, engine,
    exit::{Exit, Failure},
    history, jsonl,
    output::shown,
    settings::Settings,
    sidecar,
    tally::Tally,
};

/// Runs the command.
pub(crate) fn run(args: &VerifyArgs, settings: &Settings) -> Result<Exit, Failure> {
    let mut tally = Tally::new(settings.fail_on(&args.verdict)?);
    let report = examine(args, settings)?;
    tally.add(&report);
    let mut out = io::stdout().lock();
    match args.json {
        true => jsonl::line(&mut out, &report.provenance)?,
        false => write_words(&mut out, &report)?,
    }
    Ok(tally.exit())
}

fn examine(args: &VerifyArgs, settings: &Settings) -> Result<Report, Failure> {
    let trust = settings.trust(&args.trust.anchors)?;
    let policy = settings.policy(&args.policy)?;
    let examiner = engine::provenance_only(trust, policy, settings.limits(&args.limits))?;
    let open =
        |path| Media::open(path, examiner.limits()).map_err(|error| Failure::media(path, &error));
    let media = open(args.file.as_path())?;
    let given = args.sidecar.as_deref().map(open).transpose()?;
    let sidecar = given.or_else(|| sidecar::beside(&args.file, examiner.limits()));
    let options = Options {
        scope: Scope::Provenance,
        sidecar: sidecar.as_ref().map(Media::bytes),
        ..Options::at(args.trust.at.unwrap_or_else(clock::now))
    };
    Ok(examiner.examine(&media, &options))
}

fn write_words(out: &mut impl Write, report: &Report) -> io::Result<()> {
    let provenance = &report.provenance;
    writeln!(out, "{}", shown(&report.media.name))?;
    writeln!(out, "{}", shown(headline(report)))?;
    writeln!(out)?;
    let mut line = |axis: &str, text: &str| writeln!(out, "  {axis:<11} {}", shown(text));
    line("Credential", manifest(provenance.manifest))?;
    if has_manifest(provenance) {
        line("Content", content(provenance.content))?;
        line("Signature", signature(provenance.signature))?;
        line("Signer", &signer(&provenance.signer))?;
        line("Time", time(provenance.time))?;
        line("History", &edits(provenance))?;
    }
    for one in &provenance.identity {
        line("Identity", &identity(one))?;
    }
    line("AI", &ai(provenance))?;
    if !provenance.codes.failure.is_empty() {
        line("Failed", &provenance.codes.failure.join(", "))?;
    }
    for label in &provenance.labels {
        line(
            "Label",
            &format!("{} (unsigned): {}", label.r#where, label.text),
        )?;
    }
    for uncovered in &provenance.uncovered {
        let [start, end] = uncovered.range;
        line(
            "Unprotected",
            &format!("bytes {start} to {end} can be changed without breaking the signature"),
        )?;
    }
    line("Judged for", &provenance.checked_at)?;
    if let Some(problem) = &report.error {
        line("Error", &problem.message)?;
    }
    history::write(out, provenance)
}

/// Pixels are not looked at here, so where they would decide, the first thing the file says leads.
fn headline(report: &Report) -> &str {
    let verdict = &report.verdict;
    let said = verdict
        .reasons
        .iter()
        .find(|reason| reason.source == Source::Provenance)
        .map(|reason| reason.text.as_str());
    match verdict.code {
        Code::Inconclusive | Code::NoEvidenceFound | Code::NotAnalysed => said,
        Code::KnownFake
        | Code::Altered
        | Code::Conflict
        | Code::DeclaredAi
        | Code::DeclaredAiEdit
        | Code::LikelyManipulated
        | Code::LikelyAi
        | Code::VerifiedOrigin => None,
    }
    .unwrap_or(&verdict.summary)
}

fn has_manifest(provenance: &Provenance) -> bool {
    matches!(
        provenance.manifest,
        ManifestState::Embedded | ManifestState::Sidecar
    )
}

fn manifest(state: ManifestState) -> &'static str {
    match state {
        ManifestState::None => "There is none, which counts for nothing either way.",
        ManifestState::Embedded => "It is inside the file.",
        ManifestState::Sidecar => "It was given beside the file.",
        ManifestState::RemoteNotFetched => {
            "The file names one elsewhere; it is never fetched while reading."
        }
        ManifestState::Malformed => "There is one, and it cannot be read.",
        ManifestState::Unsupported => "This kind of file carries none that this program reads.",
        ManifestState::NotChecked => "It was not looked at.",
    }
}

fn content(state: ContentState) -> &'static str {
    match state {
        ContentState::Intact => "Every protected byte is as it was signed.",
        ContentState::Altered => "It was changed after it was signed.",
        ContentState::Unbound => "The credential is bound to no content.",
        ContentState::Unknown => "It could not be compared with what was signed.",
    }
}

fn signature(state: SignatureState) -> &'static str {
    match state {
        SignatureState::Ok => "It fits the credential.",
        SignatureState::Broken => "It does not fit: the credential was changed or forged.",
        SignatureState::Unknown => "It was not looked at.",
    }
}

fn signer(signer: &Signer) -> String {
    let vouched = match signer.status {
        SignerStatus::C2paList => "vouched for by the C2PA trust list",
        SignerStatus::InterimList => {
            "vouched for by the interim list, which is frozen since 2026-01-01"
        }
        SignerStatus::AllowList => "on a list of single certificates",
        SignerStatus::Local => "vouched for by an anchor that you gave",
        SignerStatus::Unknown => "vouched for by nobody we know",
        SignerStatus::Revoked => "revoked",
        SignerStatus::None => return "There is none.".to_owned(),
    };
    let name = signer.organisation.as_deref().or(signer.name.as_deref());
    let level = signer
        .assurance_level
        .map_or_else(String::new, |level| format!(" at assurance level {level}"));
    let product = signer
        .product
        .as_deref()
        .map_or_else(String::new, |product| format!(", for {product}{level}"));
    format!("{}{product}, {vouched}.", name.unwrap_or("No name"))
}

/// An identity stands beside the signer: it lends the credential nothing and takes nothing from it.
fn identity(identity: &Identity) -> String {
    let name = identity.name.as_deref().unwrap_or("No name");
    let checked = match identity.status {
        IdentityStatus::Trusted => "vouched for by a list",
        IdentityStatus::Untrusted => "vouched for by nobody we know",
        IdentityStatus::Invalid => "whose proof does not hold",
    };
    format!("{name}, {checked}; this is apart from the signer.")
}

fn time(state: TimeState) -> &'static str {
    match state {
        TimeState::TrustedStamp => "A trusted time stamp shows when it was signed.",
        TimeState::UntrustedStamp => {
            "Its time stamp comes from an authority that nobody vouches for."
        }
        TimeState::InsideValidity => "There is no time stamp; the signing certificate is valid.",
        TimeState::ExpiredNoStamp => {
            "The signing certificate has ended, and no trusted time stamp shows that it was used before."
        }
        TimeState::NotYetValid => "The signing certificate is not valid yet.",
        TimeState::Unknown => "It is not known.",
    }
}

fn edits(provenance: &Provenance) -> String {
    match (provenance.history.status, provenance.history.defects.len()) {
        (HistoryStatus::None, _) => "There is no earlier credential.".to_owned(),
        (HistoryStatus::Ok, _) => "The earlier credentials are sound.".to_owned(),
        (HistoryStatus::Defects, 1) => "1 thing in it is broken, marked below.".to_owned(),
        (HistoryStatus::Defects, count) => {
            format!("{count} things in it are broken, marked below.")
        }
    }
}

fn ai(provenance: &Provenance) -> String {
    let ai = &provenance.ai;
    let said = match ai.status {
        AiStatus::NoneDeclared => return "The file says nothing about AI.".to_owned(),
        AiStatus::CaptureDeclared => return "The file says that a camera took it.".to_owned(),
        AiStatus::DeclaredFull => "The file says that it was made with AI",
        AiStatus::DeclaredPart => "The file says that AI changed part of it",
    };
    let place = match ai.r#where {
        Some(Place::Active) => ", in its credential",
        Some(Place::History) => ", in an earlier credential",
        Some(Place::UnsignedLabel) => ", in an unsigned label",
        None => "",
    };
    let tool = ai
        .generator
        .as_deref()
        .map_or_else(String::new, |tool| format!(" ({tool})"));
    format!("{said}{place}{tool}.")
}
