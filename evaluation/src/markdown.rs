//! The report as Markdown. Drawings are only in the HTML report.

use crate::{
    document::{Block, Table, blocks},
    figures::Evaluation,
};

impl Evaluation {
    /// The report as GitHub-flavoured Markdown.
    pub fn markdown(&self) -> String {
        let mut text = "# Evaluation of the detector\n".to_owned();
        for block in blocks(self) {
            match block {
                Block::Heading(words) => text += &format!("\n## {words}\n"),
                Block::Text(words) => text += &format!("\n{}\n", plain(&words)),
                Block::Table(table) => write_table(&mut text, &table),
                Block::Plot(..) => {}
            }
        }
        text
    }
}

fn write_table(text: &mut String, table: &Table) {
    let line = |cells: &[String]| {
        let cells: Vec<String> = cells.iter().map(|cell| plain(cell)).collect();
        format!("| {} |\n", cells.join(" | "))
    };
    *text += "\n";
    *text += &line(&table.head);
    *text += &line(&vec!["---".to_owned(); table.head.len()]);
    for row in &table.rows {
        *text += &line(row);
    }
}

/// Names out of a manifest on one line, without what would end a cell or begin a tag.
fn plain(text: &str) -> String {
    text.chars()
        .map(|letter| match letter {
            '|' | '<' | '>' | '`' => '/',
            letter if letter.is_control() => ' ',
            letter => letter,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn a_name_cannot_leave_its_cell() {
        assert_eq!(plain("a|b\n<c>`d`"), "a/b /c//d/");
    }
}
