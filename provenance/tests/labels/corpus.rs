//! Real and hostile files, when `../shared` is there: which labels they carry.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use media::{Limits, Media};
use provenance::UnsignedLabel;

use super::judge_media;
use crate::corpus::{corpus, open, table};

fn line(label: &UnsignedLabel) -> String {
    let generator = label.generator.as_deref().unwrap_or("-");
    format!(
        "{} [{generator}] {:?}: {}",
        label.place, label.ai, label.text
    )
}

#[test]
fn no_file_that_nobody_calls_ai_is_labelled_ai() {
    let Some(rows) = table("cases.tsv") else {
        return;
    };
    let mut wrong = Vec::new();
    let mut declared = 0;
    for row in &rows {
        let found = judge_media(&open(&row["file"])).labels;
        for label in &found {
            println!("{}: {}", row["file"], line(label));
        }
        let says_ai = found.iter().any(|label| label.ai.is_some());
        declared += u32::from(says_ai);
        if says_ai && !is_called_ai(row) {
            wrong.push(row["file"].as_str());
        }
    }
    println!(
        "{declared} of {} files carry a label that declares AI",
        rows.len()
    );
    assert!(wrong.is_empty(), "{wrong:?}");
}

/// Whether any column says that AI had a part in the file.
fn is_called_ai(row: &std::collections::HashMap<String, String>) -> bool {
    let column = |name: &str| row.get(name).map_or("", String::as_str);
    let words = [column("note"), column("origin"), column("file")].join(" ");
    let words = words.to_lowercase();
    !column("ai_source_types_active").is_empty()
        || !column("ai_source_types_history").is_empty()
        || ["genai", "firefly", "dall-e", "chatgpt", "ai-", " ai "]
            .iter()
            .any(|word| words.contains(word))
}

#[test]
fn hostile_files_carry_no_label_and_cost_little() {
    let Some(root) = corpus() else { return };
    let mut files = Vec::new();
    walk(&root.join("../hostile/files"), &mut files);
    walk(&root.join("mutated"), &mut files);
    let (mut read, mut slowest) = (0, Duration::ZERO);
    for file in &files {
        let Ok(media) = Media::open(file, &Limits::default()) else {
            continue;
        };
        let begun = Instant::now();
        let found = judge_media(&media).labels;
        slowest = slowest.max(begun.elapsed());
        read += 1;
        for label in &found {
            let name = file.file_name().unwrap().to_string_lossy();
            println!("{name}: {}", line(label));
        }
        assert!(found.is_empty(), "{}", file.display());
    }
    println!("{read} of {} files, slowest {slowest:?}", files.len());
    assert!(read > files.len() / 2);
    assert!(slowest < Duration::from_secs(2), "{slowest:?}");
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, files);
        } else {
            files.push(path);
        }
    }
    files.sort();
}
