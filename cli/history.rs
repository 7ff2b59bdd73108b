//! The edit history as a tree: who signed, with which tool, when, what was done, and what is wrong.

use std::io::{self, Write};

use verdict::report::{Ingredient, Manifest, Provenance};

use crate::output::shown;

/// A line with the lines under it.
struct Node {
    text: String,
    children: Vec<Node>,
}

/// Writes the tree under the active manifest; nothing when there is no manifest.
pub(crate) fn write(out: &mut impl Write, provenance: &Provenance) -> io::Result<()> {
    let Some(active) = provenance.manifests.iter().find(|manifest| manifest.active) else {
        return Ok(());
    };
    let mut tree = Tree {
        provenance,
        left: MAX_NODES,
        path: Vec::new(),
    };
    let root = tree.manifest(active, active.title.as_deref());
    writeln!(out)?;
    writeln!(out, "{}", root.text)?;
    write_children(out, &root, "")
}

fn write_children(out: &mut impl Write, node: &Node, indent: &str) -> io::Result<()> {
    let last = node.children.len().saturating_sub(1);
    for (place, child) in node.children.iter().enumerate() {
        let (branch, below) = match place == last {
            true => ("└─ ", "   "),
            false => ("├─ ", "│  "),
        };
        writeln!(out, "{indent}{branch}{}", child.text)?;
        write_children(out, child, &format!("{indent}{below}"))?;
    }
    Ok(())
}

struct Tree<'a> {
    provenance: &'a Provenance,
    /// Nodes that may still be made: an ingredient can be reached on many ways.
    left: usize,
    /// Labels from the root to here: a store can name its own ancestors.
    path: Vec<&'a str>,
}

impl<'a> Tree<'a> {
    fn manifest(&mut self, manifest: &'a Manifest, title: Option<&str>) -> Node {
        let mut children = Vec::new();
        let label = manifest.label.as_str();
        if self.path.contains(&label) || self.path.len() >= MAX_DEPTH {
            children.push(leaf(
                "and so on: this credential stands above already".to_owned(),
            ));
        } else {
            self.path.push(label);
            children.extend(self.defects(label));
            children.extend(manifest.actions.iter().map(|action| {
                let source = action
                    .digital_source_type
                    .as_deref()
                    .map_or_else(String::new, |uri| format!(" ({})", last_part(uri)));
                leaf(format!("did {}{source}", action.action))
            }));
            for ingredient in &manifest.ingredients {
                if self.left == 0 {
                    children.push(leaf("and more, left out here".to_owned()));
                    break;
                }
                self.left -= 1;
                children.push(self.ingredient(ingredient));
            }
            self.path.pop();
        }
        Node {
            text: shown(&headline(manifest, title)),
            children,
        }
    }

    fn ingredient(&mut self, ingredient: &'a Ingredient) -> Node {
        let role = match ingredient.relationship.as_str() {
            "parentOf" => "made from",
            "componentOf" => "contains",
            "inputTo" => "used",
            other => other,
        };
        let title = ingredient.title.as_deref();
        let behind = ingredient.manifest.as_deref().and_then(|label| {
            self.provenance
                .manifests
                .iter()
                .find(|manifest| manifest.label == label)
        });
        match behind {
            Some(manifest) => {
                let node = self.manifest(manifest, title);
                Node {
                    text: shown(&format!("{role} {}", node.text)),
                    ..node
                }
            }
            None => leaf(format!("{role} {}, without a credential", quoted(title))),
        }
    }

    fn defects(&self, label: &str) -> Vec<Node> {
        self.provenance
            .history
            .defects
            .iter()
            .filter(|defect| defect.manifest.contains(label))
            .map(|defect| leaf(format!("WRONG {}", defect.code)))
            .collect()
    }
}

fn headline(manifest: &Manifest, title: Option<&str>) -> String {
    let title = quoted(title.or(manifest.title.as_deref()));
    let issuer = manifest.issuer.as_deref().unwrap_or("somebody unnamed");
    let tool = manifest
        .claim_generator
        .as_deref()
        .map_or_else(String::new, |tool| format!(" with {tool}"));
    let when = manifest
        .signed_at
        .as_deref()
        .map_or_else(String::new, |when| format!(" on {when}"));
    format!("{title}, signed by {issuer}{tool}{when}")
}

fn quoted(title: Option<&str>) -> String {
    title.map_or_else(
        || "a file without a title".to_owned(),
        |title| format!("\"{title}\""),
    )
}

fn leaf(text: String) -> Node {
    Node {
        text: shown(&text),
        children: Vec::new(),
    }
}

/// The end of a URI such as `http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture`.
fn last_part(uri: &str) -> &str {
    uri.rsplit('/').next().unwrap_or(uri)
}

/// Ingredients in one tree; a person reads no further.
const MAX_NODES: usize = 200;

/// Levels in one tree, as deep as the reader below follows ingredients.
const MAX_DEPTH: usize = 32;
