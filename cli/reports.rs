//! Writes reports in the format asked for: lines as they come, tables in the order of the walk.

use std::{collections::BTreeMap, io};

use verdict::Report;

use crate::{args::Format, jsonl, output::Output, sheet, table};

/// Reports on their way out.
pub(crate) struct Reports {
    format: Format,
    output: Output,
    /// Next place of the walk to write; used by the ordered formats.
    next: u64,
    early: BTreeMap<u64, Option<Box<Report>>>,
}

impl Reports {
    /// Writes the head, where the format has one.
    pub(crate) fn start(format: Format, mut output: Output) -> io::Result<Self> {
        match format {
            Format::Table => table::head(&mut output)?,
            Format::Csv => sheet::head(&mut output)?,
            Format::Jsonl | Format::Html => {}
        }
        Ok(Self {
            format,
            output,
            next: 0,
            early: BTreeMap::new(),
        })
    }

    /// Takes the report of a place, `None` where there is nothing to write, and gives back the reports
    /// that have been written now.
    pub(crate) fn take(
        &mut self,
        place: u64,
        report: Option<Box<Report>>,
    ) -> io::Result<Vec<Report>> {
        let ready = match self.format {
            Format::Jsonl => report.into_iter().map(|report| *report).collect(),
            Format::Table | Format::Csv | Format::Html => self.in_order(place, report),
        };
        for report in &ready {
            self.write(report)?;
        }
        Ok(ready)
    }

    /// Completes the output.
    pub(crate) fn finish(self) -> io::Result<()> {
        self.output.finish()
    }

    fn in_order(&mut self, place: u64, report: Option<Box<Report>>) -> Vec<Report> {
        self.early.insert(place, report);
        let mut ready = Vec::new();
        while let Some(report) = self.early.remove(&self.next) {
            ready.extend(report.map(|report| *report));
            self.next += 1;
        }
        ready
    }

    fn write(&mut self, report: &Report) -> io::Result<()> {
        match self.format {
            Format::Table | Format::Html => table::row(&mut self.output, report),
            Format::Csv => sheet::row(&mut self.output, report),
            Format::Jsonl => jsonl::line(&mut self.output, report),
        }
    }
}
