//! The labelled list: one picture a row, what it is, and where it comes from.
//!
//! It opens no picture. Every rule is checked before the first picture is read, so that a long run does not end on
//! a misspelt label.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
};

use csv::StringRecord;
use media::Digest;

use crate::error::{BadRow, EvaluationError};

/// What a picture is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Label {
    /// Taken by a camera or made by hand.
    Real,
    /// Generated.
    Synthetic,
}

impl Label {
    /// The word in manifests and reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Real => "real",
            Self::Synthetic => "synthetic",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        match text {
            "real" => Some(Self::Real),
            // Published lists call it by either name.
            "synthetic" | "generated" | "fake" => Some(Self::Synthetic),
            _ => None,
        }
    }
}

/// The part of a picture that a row means, in pixels after orientation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Crop {
    /// Left edge.
    pub x: u32,
    /// Upper edge.
    pub y: u32,
    /// Pixels in a row; at least 1.
    pub width: u32,
    /// Rows; at least 1.
    pub height: u32,
}

/// One labelled picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The path as written, for the report.
    pub name: String,
    /// Where the picture is: the written path, from the manifest's folder.
    pub path: PathBuf,
    /// What it is.
    pub label: Label,
    /// The collection or generator it comes from; the label's word when the manifest has no such column.
    pub source: String,
    /// The group of people or scenes it shows, where the manifest says so.
    pub group: Option<String>,
    /// The part that is meant; `None` for the whole picture.
    pub crop: Option<Crop>,
}

/// A checked manifest: at least one row of each label, none twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// Digest of the manifest's bytes.
    pub digest: Digest,
    /// The rows, in the order of the file.
    pub rows: Vec<Row>,
    /// Rows in the file, when a sample was taken.
    pub sampled_from: Option<usize>,
}

impl Manifest {
    /// Reads a manifest: CSV, or TSV when its first line has a tab. Columns `path` and `label`, and if there are any
    /// `source`, `group` and `crop` (`x,y,w,h`); other columns are not read.
    ///
    /// # Errors
    ///
    /// Every [`EvaluationError`].
    pub fn read(path: &Path) -> Result<Self, EvaluationError> {
        let unreadable = |detail: String| EvaluationError::Unreadable {
            path: path.into(),
            detail,
        };
        let bytes = read_bounded(path).map_err(unreadable)?;
        let table =
            Table::read(&bytes, path.parent().unwrap_or(Path::new(""))).map_err(unreadable)?;
        if !table.bad.is_empty() {
            let more = table.bad.len().saturating_sub(SHOWN_ROWS);
            let rows = table.bad.into_iter().take(SHOWN_ROWS).collect();
            return Err(EvaluationError::Rows {
                path: path.into(),
                rows,
                more,
            });
        }
        Self::checked(Digest::of(&bytes), table.rows)
    }

    /// A list that holds both labels.
    pub(crate) fn checked(digest: Digest, rows: Vec<Row>) -> Result<Self, EvaluationError> {
        let real = count(&rows, Label::Real);
        let synthetic = rows.len() - real;
        if real == 0 || synthetic == 0 {
            return Err(EvaluationError::OneSided { real, synthetic });
        }
        Ok(Self {
            digest,
            rows,
            sampled_from: None,
        })
    }

    /// At most `most` rows of each label, taken from its sources by turns, in an order that the paths alone decide.
    #[must_use]
    pub fn sample(self, most: usize) -> Self {
        let whole = self.rows.len();
        let mut kept: BTreeSet<usize> = BTreeSet::new();
        for label in [Label::Real, Label::Synthetic] {
            kept.extend(by_turns(&self.rows, label).into_iter().take(most));
        }
        let rows: Vec<Row> = self
            .rows
            .into_iter()
            .enumerate()
            .filter(|(place, _)| kept.contains(place))
            .map(|(_, row)| row)
            .collect();
        let sampled_from = (rows.len() < whole).then_some(whole);
        Self {
            rows,
            sampled_from,
            ..self
        }
    }

    /// How many rows have this label.
    pub fn count(&self, label: Label) -> usize {
        count(&self.rows, label)
    }
}

fn count(rows: &[Row], label: Label) -> usize {
    rows.iter().filter(|row| row.label == label).count()
}

/// Places of the rows of one label: the first of every source, then the second of every source, and so on.
fn by_turns(rows: &[Row], label: Label) -> Vec<usize> {
    let mut sources: BTreeMap<&str, Vec<(String, usize)>> = BTreeMap::new();
    for (place, row) in rows.iter().enumerate() {
        if row.label == label {
            // The digest shuffles, so that neighbours in a collection are not taken together.
            let order = Digest::of(row.name.as_bytes()).to_string();
            sources
                .entry(row.source.as_str())
                .or_default()
                .push((order, place));
        }
    }
    let mut turns = Vec::new();
    for members in sources.values_mut() {
        members.sort_unstable();
        turns.extend(
            members
                .iter()
                .enumerate()
                .map(|(turn, (_, place))| (turn, *place)),
        );
    }
    turns.sort_unstable();
    turns.into_iter().map(|(_, place)| place).collect()
}

fn read_bounded(path: &Path) -> Result<Vec<u8>, String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    let mut bytes = Vec::new();
    file.take(MAX_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| error.to_string())?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length <= MAX_BYTES) {
        Ok(bytes)
    } else {
        Err(format!("it is longer than {MAX_BYTES} bytes"))
    }
}

/// Rows that were read, good and bad.
struct Table {
    rows: Vec<Row>,
    bad: Vec<BadRow>,
}

impl Table {
    fn read(bytes: &[u8], folder: &Path) -> Result<Self, String> {
        let first = bytes.split(|byte| *byte == b'\n').next().unwrap_or(bytes);
        let delimiter = if first.contains(&b'\t') { b'\t' } else { b',' };
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(delimiter)
            .flexible(true)
            .trim(csv::Trim::All)
            .from_reader(bytes);
        let columns = Columns::of(reader.headers().map_err(|error| error.to_string())?)?;
        let (mut rows, mut bad) = (Vec::new(), Vec::new());
        let mut seen: BTreeMap<(String, Option<Crop>), u64> = BTreeMap::new();
        for record in reader.records() {
            let record = record.map_err(|error| error.to_string())?;
            let line = record.position().map_or(0, csv::Position::line);
            if rows.len() >= MAX_ROWS {
                return Err(format!("it has more than {MAX_ROWS} rows"));
            }
            let read = columns.row(&record, folder).and_then(|row| {
                match seen.insert((row.name.clone(), row.crop), line) {
                    Some(before) => Err(format!("repeats line {before}")),
                    None => Ok(row),
                }
            });
            match read {
                Ok(row) => rows.push(row),
                Err(problem) => bad.push(BadRow { line, problem }),
            }
        }
        Ok(Self { rows, bad })
    }
}

/// Where the columns stand.
struct Columns {
    path: usize,
    label: usize,
    source: Option<usize>,
    group: Option<usize>,
    crop: Option<usize>,
}

impl Columns {
    fn of(header: &StringRecord) -> Result<Self, String> {
        let find = |name: &str| {
            let mut found = header.iter().enumerate().filter(|(_, cell)| *cell == name);
            let first = found.next().map(|(place, _)| place);
            match found.next() {
                Some(_) => Err(format!("it has two columns called {name}")),
                None => Ok(first),
            }
        };
        let needed =
            |name: &str| find(name)?.ok_or_else(|| format!("it has no column called {name}"));
        Ok(Self {
            path: needed("path")?,
            label: needed("label")?,
            source: find("source")?,
            group: find("group")?,
            crop: find("crop")?,
        })
    }

    fn row(&self, record: &StringRecord, folder: &Path) -> Result<Row, String> {
        let cell = |place: usize| record.get(place).unwrap_or_default();
        let word = |place: Option<usize>| {
            let text = place.map(cell).unwrap_or_default();
            let long = text.chars().count() > MAX_WORD_CHARS || text.contains(char::is_control);
            match (text, long) {
                (_, true) => Err(format!(
                    "has a name over {MAX_WORD_CHARS} characters, or one with control characters"
                )),
                ("", false) => Ok(None),
                (text, false) => Ok(Some(text.to_owned())),
            }
        };
        let name = cell(self.path);
        if name.is_empty() {
            return Err("has no path".to_owned());
        }
        let shown: String = cell(self.label).chars().take(40).collect();
        let label = Label::parse(cell(self.label))
            .ok_or_else(|| format!("has the label {shown:?}, it must be real or synthetic"))?;
        Ok(Row {
            name: name.to_owned(),
            path: folder.join(name),
            label,
            source: word(self.source)?.unwrap_or_else(|| label.word().to_owned()),
            group: word(self.group)?,
            crop: self.crop.map(cell).map_or(Ok(None), crop)?,
        })
    }
}

fn crop(text: &str) -> Result<Option<Crop>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    let numbers: Option<Vec<u32>> = text
        .split(',')
        .map(|number| number.trim().parse().ok())
        .collect();
    match numbers.as_deref() {
        Some(&[x, y, width, height]) if width > 0 && height > 0 => Ok(Some(Crop {
            x,
            y,
            width,
            height,
        })),
        Some(_) | None => {
            let shown: String = text.chars().take(40).collect();
            Err(format!(
                "has the crop {shown:?}, it must be x,y,width,height in pixels"
            ))
        }
    }
}

/// Longest manifest: [`MAX_ROWS`] rows of a kilobyte.
const MAX_BYTES: u64 = 64 << 20;

/// Most pictures of one evaluation: their thumbnails for the baseline are kept in memory, 9 KiB each.
pub(crate) const MAX_ROWS: usize = 50_000;

/// Longest name of a source or group: a cell of a table.
const MAX_WORD_CHARS: usize = 120;

/// Bad rows that are named in the error.
const SHOWN_ROWS: usize = 10;

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::{Crop, Label, Manifest};
    use crate::error::EvaluationError;

    fn read(text: &str) -> Result<Manifest, EvaluationError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("m.csv");
        fs::write(&path, text).unwrap();
        Manifest::read(&path)
    }

    fn problem(text: &str) -> String {
        read(text).unwrap_err().to_string()
    }

    #[test]
    fn both_dialects_are_read_and_paths_start_at_the_folder() {
        let manifest =
            read("label,path,crop,group,note\nreal,a b.jpg,\"1,2,3,4\",x,ü\nfake,/c.png,,,\n")
                .unwrap();
        let [a, c] = manifest.rows.as_slice() else {
            panic!()
        };
        let crop = Crop {
            x: 1,
            y: 2,
            width: 3,
            height: 4,
        };
        assert_eq!(
            (a.label, a.crop, a.source.as_str()),
            (Label::Real, Some(crop), "real")
        );
        assert!(a.path.ends_with("a b.jpg") && a.path.is_absolute());
        assert_eq!(
            (c.path.as_path(), c.label),
            (Path::new("/c.png"), Label::Synthetic)
        );
        assert_eq!((a.group.as_deref(), &c.group), (Some("x"), &None));
        let tabs = read("path\tlabel\tsource\na,b.jpg\treal\tone\nc\tsynthetic\t\n").unwrap();
        assert_eq!(
            (tabs.rows[0].name.as_str(), tabs.rows[0].source.as_str()),
            ("a,b.jpg", "one")
        );
        assert_eq!(tabs.rows[1].source, "synthetic");
    }

    #[test]
    fn every_bad_row_is_named_by_its_line() {
        let text = "path,label,crop\na,real,\nb,genuine,\n,real,\nd,fake,\"1,2,3\"\ne,fake,\"0,0,0,9\"\na,fake,\n";
        let problem = problem(text);
        for words in [
            "line 3 has the label \"genuine\"",
            "line 4 has no path",
            "line 5 has the crop \"1,2,3\"",
            "line 6 has the crop",
            "line 7 repeats line 2",
        ] {
            assert!(problem.contains(words), "{words}: {problem}");
        }
        let many: String = (0..30).map(|row| format!("{row},?\n")).collect();
        assert!(self::problem(&format!("path,label\n{many}")).contains("and 20 more"));
    }

    #[test]
    fn a_table_without_its_columns_or_without_one_class_is_refused() {
        assert!(problem("file,label\na,real\n").contains("no column called path"));
        assert!(problem("path,path,label\n").contains("two columns"));
        assert!(problem("").contains("no column"));
        let one = read("path,label\na,real\n").unwrap_err();
        assert!(matches!(
            one,
            EvaluationError::OneSided {
                real: 1,
                synthetic: 0
            }
        ));
        assert!(matches!(
            Manifest::read(Path::new("/does/not/exist")),
            Err(EvaluationError::Unreadable { .. })
        ));
    }

    #[test]
    fn a_sample_takes_every_source_by_turns_and_is_the_same_again() {
        let mut text = "path,label,source\n".to_owned();
        for row in 0..50 {
            text += &format!("r{row},real,big\ns{row},synthetic,gen\n");
        }
        text += "x,real,small\ny,real,small\n";
        let sample = read(&text).unwrap().sample(6);
        let of = |source: &str| {
            sample
                .rows
                .iter()
                .filter(|row| row.source == source)
                .count()
        };
        assert_eq!((of("small"), of("big"), of("gen")), (2, 4, 6));
        assert_eq!(sample.sampled_from, Some(102));
        let names = |manifest: &Manifest| -> Vec<String> {
            manifest.rows.iter().map(|row| row.name.clone()).collect()
        };
        assert_eq!(names(&sample), names(&read(&text).unwrap().sample(6)));
        assert_eq!(read(&text).unwrap().sample(500).sampled_from, None);
    }
}
