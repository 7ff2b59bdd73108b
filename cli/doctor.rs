//! `bonafide doctor`: what is installed, what is missing, and how to get it.

use std::io::{self, Write};

use provenance::{Judge, Timestamp, TrustListInfo};

use crate::{
    args::DoctorArgs,
    clock,
    exit::{Exit, Failure},
    output::shown,
    settings::{DetectorPlaces, Settings},
};

/// Runs the command. The exit code is 2 when a part is missing or damaged.
pub(crate) fn run(args: &DoctorArgs, settings: &Settings) -> Result<Exit, Failure> {
    let places = settings.detector(&args.detector)?;
    let judge = Judge::new(settings.trust(&args.anchors)?)?;
    let mut out = io::stdout().lock();
    line(
        &mut out,
        "program",
        &format!("bonafide {}", env!("CARGO_PKG_VERSION")),
    )?;
    let has_runtime = runtime(&mut out, &places)?;
    let has_models = models(&mut out, &places)?;
    for list in judge.trust_lists() {
        line(&mut out, "trust list", &trust_list(list, clock::now()))?;
    }
    if judge.trust_lists().is_empty() {
        line(&mut out, "trust list", "none: every signer is unknown")?;
    }
    line(
        &mut out,
        "sandbox",
        "not built yet: files are decoded inside this process",
    )?;
    Ok(match has_runtime && has_models {
        true => Exit::Done,
        false => Exit::Usage,
    })
}

fn runtime(out: &mut impl Write, places: &DetectorPlaces) -> io::Result<bool> {
    let found = match &places.runtime {
        Some(path) => detector::runtime_version(path).and_then(|version| {
            let providers = detector::available_providers(path)?;
            let providers: Vec<String> = providers.iter().map(ToString::to_string).collect();
            let providers = providers.join(", ");
            Ok(format!(
                "{version} at {}, built with {providers}",
                path.display()
            ))
        }),
        None => Err(detector::DetectorError::RuntimeMissing { path: None }),
    };
    match found {
        Ok(text) => line(out, "onnxruntime", &text).map(|()| true),
        Err(error) => line(out, "onnxruntime", &error.to_string()).map(|()| false),
    }
}

fn models(out: &mut impl Write, places: &DetectorPlaces) -> io::Result<bool> {
    let models = match detector::check_models(&places.settings(1)) {
        Ok(models) => models,
        Err(error) => return line(out, "models", &error.to_string()).map(|()| false),
    };
    let mut all_good = !models.is_empty();
    for (name, outcome) in models {
        let text = match outcome {
            Ok(model) => format!(
                "{}@{} works, sha256 {}",
                model.card.name, model.card.version, model.digest
            ),
            Err(error) => {
                all_good = false;
                format!("{name}: {error}")
            }
        };
        line(out, "model", &text)?;
    }
    if !all_good {
        line(
            out,
            "models",
            &format!("looked for in {}", places.models.display()),
        )?;
    }
    Ok(all_good)
}

fn trust_list(list: &TrustListInfo, now: Timestamp) -> String {
    let date = list.date.as_deref().unwrap_or("not stated");
    let next = list.next_update.as_deref().unwrap_or("not stated");
    let due = due(list.next_update.as_deref(), now);
    format!(
        "{}, date {date}, next update {next}{due}, sha256 {}",
        list.name, list.sha256
    )
}

/// A warning when a list is about to be replaced by its publisher, or has been.
fn due(next_update: Option<&str>, now: Timestamp) -> &'static str {
    let next = next_update.and_then(|day| Timestamp::parse_rfc3339(&format!("{day}T00:00:00Z")));
    let Some(next) = next else {
        return "";
    };
    if next <= now {
        " (WARNING: that day has passed; get the new list and name its folder with --trust)"
    } else if next.0.saturating_sub(now.0) <= SOON_S {
        " (soon: a new list is due)"
    } else {
        ""
    }
}

/// Thirty days.
const SOON_S: i64 = 30 * 86_400;

fn line(out: &mut impl Write, part: &str, text: &str) -> io::Result<()> {
    writeln!(out, "{part:<12} {}", shown(text))
}

#[cfg(test)]
mod tests {
    use super::due;
    use provenance::Timestamp;

    #[test]
    fn a_list_is_warned_of_before_and_after_its_day() {
        let at = |text| Timestamp::parse_rfc3339(text).unwrap();
        assert_eq!(due(None, at("2027-01-01T00:00:00Z")), "");
        assert_eq!(due(Some("2027-08-05"), at("2027-01-01T00:00:00Z")), "");
        assert!(due(Some("2027-08-05"), at("2027-07-20T00:00:00Z")).contains("soon"));
        assert!(due(Some("2027-08-05"), at("2027-08-05T00:00:00Z")).contains("WARNING"));
    }
}
