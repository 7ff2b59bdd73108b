//! The report as one HTML page without scripts or anything fetched: it can be mailed and opened anywhere.

use crate::{
    document::{Block, Table, blocks},
    figures::Evaluation,
};

impl Evaluation {
    /// The report as one HTML page with its drawings.
    pub fn html(&self) -> String {
        let mut body = String::new();
        for block in blocks(self) {
            body += &match block {
                Block::Heading(words) => format!("<h2>{}</h2>\n", escaped(words)),
                Block::Text(words) => format!("<p>{}</p>\n", escaped(&words)),
                Block::Table(table) => html_table(&table),
                Block::Plot(svg, caption) => {
                    let caption = escaped(caption);
                    format!("<figure>{svg}<figcaption>{caption}</figcaption></figure>\n")
                }
            };
        }
        format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>Evaluation of the detector\
             </title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>Evaluation of the detector</h1>\n{body}</body>\n</html>\n"
        )
    }
}

fn html_table(table: &Table) -> String {
    let line = |cells: &[String], tag: &str| {
        let cells: String = cells
            .iter()
            .map(|cell| format!("<{tag}>{}</{tag}>", escaped(cell)))
            .collect();
        format!("<tr>{cells}</tr>\n")
    };
    let rows: String = table.rows.iter().map(|row| line(row, "td")).collect();
    format!(
        "<table>\n<thead>{}</thead>\n<tbody>\n{rows}</tbody>\n</table>\n",
        line(&table.head, "th")
    )
}

/// Text that cannot become a tag or leave an attribute.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem;color:#222}\
table{border-collapse:collapse;margin:1rem 0;font-size:13px}th,td{border:1px solid #ccc;padding:.25rem .5rem;text-align:left}\
th{background:#f2f2f2}figure{display:inline-block;margin:1rem 1rem 1rem 0}figcaption{font-size:13px;color:#555}";

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn a_name_cannot_become_a_tag() {
        assert_eq!(escaped("<b a=\"1\">&"), "&lt;b a=&quot;1&quot;&gt;&amp;");
    }
}
