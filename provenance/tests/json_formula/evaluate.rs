//! From a tree and a document to a value.

use std::{cmp::Ordering, collections::BTreeMap};

use serde_json::Value;

use super::parse::{Comparison, Expression};

/// Why there is no value.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A value of the wrong kind: json-formula's TypeError.
    Type(String),
    /// Something this evaluator does not know.
    Unsupported(String),
}

/// Global variables and named expressions.
#[derive(Debug, Default)]
pub(crate) struct Engine {
    globals: BTreeMap<String, Value>,
    named: BTreeMap<String, Expression>,
}

impl Engine {
    pub(crate) fn new(
        globals: BTreeMap<String, Value>,
        named: BTreeMap<String, Expression>,
    ) -> Self {
        Self { globals, named }
    }

    /// The value of `expression` for the document `data`.
    ///
    /// # Errors
    ///
    /// [`Failure`], at its first occurrence.
    pub(crate) fn search(&self, expression: &Expression, data: &Value) -> Result<Value, Failure> {
        self.value(expression, data, &Value::Null)
    }

    /// `arguments` is `$args`: what the named expression that is being evaluated was called with.
    fn value(
        &self,
        expression: &Expression,
        data: &Value,
        arguments: &Value,
    ) -> Result<Value, Failure> {
        let of = |inner: &Expression| self.value(inner, data, arguments);
        Ok(match expression {
            Expression::Current => data.clone(),
            Expression::Literal(value) => value.clone(),
            Expression::Global(name) if name == "$args" => arguments.clone(),
            Expression::Global(name) => self.globals.get(name).cloned().unwrap_or_default(),
            Expression::Field(name) => data.get(name).cloned().unwrap_or_default(),
            Expression::Chain(left, right) => self.value(right, &of(left)?, arguments)?,
            Expression::Index(inner, number) => element(&of(inner)?, *number),
            Expression::Filter(inner, condition) => match of(inner)? {
                Value::Array(elements) => self.filter(elements, condition, arguments)?,
                _ => Value::Null,
            },
            Expression::Not(inner) => Value::Bool(!is_truth_like(&of(inner)?)),
            Expression::And(left, right) => match of(left)? {
                left if is_truth_like(&left) => of(right)?,
                left => left,
            },
            Expression::Or(left, right) => match of(left)? {
                left if is_truth_like(&left) => left,
                _ => of(right)?,
            },
            Expression::Compare(how, left, right) => {
                Value::Bool(compare(*how, &of(left)?, &of(right)?)?)
            }
            Expression::Call(name, inner) => {
                let inner = inner.iter().map(of).collect::<Result<Vec<_>, _>>()?;
                self.call(name, inner, data, arguments)?
            }
        })
    }

    fn filter(
        &self,
        elements: Vec<Value>,
        condition: &Expression,
        arguments: &Value,
    ) -> Result<Value, Failure> {
        let mut kept = Vec::new();
        for element in elements {
            if is_truth_like(&self.value(condition, &element, arguments)?) {
                kept.push(element);
            }
        }
        Ok(Value::Array(kept))
    }

    /// Named expressions see the caller's document. Their arguments are `$args`; called without any, they
    /// see the caller's.
    fn call(
        &self,
        name: &str,
        inner: Vec<Value>,
        data: &Value,
        arguments: &Value,
    ) -> Result<Value, Failure> {
        if let Some(named) = self.named.get(name) {
            if inner.is_empty() {
                return self.value(named, data, arguments);
            }
            return self.value(named, data, &Value::Array(inner));
        }
        match (name, inner.as_slice()) {
            ("length", [of]) => length(of),
            ("contains", [subject, wanted]) => contains(subject, wanted),
            ("startsWith", [Value::String(text), Value::String(start)]) => {
                Ok(Value::Bool(text.starts_with(start.as_str())))
            }
            ("startsWith", [Value::Null, Value::String(start)]) => {
                Ok(Value::Bool(start.is_empty()))
            }
            _ => Err(Failure::Unsupported(format!("{name} of {inner:?}"))),
        }
    }
}

/// Whether a rubric's statement holds, given its value: the rule of the C2PA's own evaluator.
pub(crate) fn is_true(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(is) => *is,
        Value::Number(number) => number.as_f64().is_some_and(|number| number > 0.0),
        Value::Array(elements) => !elements.is_empty(),
        Value::String(_) | Value::Object(_) => true,
    }
}

fn is_truth_like(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(is) => *is,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(elements) => !elements.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
    }
}

fn element(of: &Value, number: i64) -> Value {
    let Value::Array(elements) = of else {
        return Value::Null;
    };
    let from_end = usize::try_from(number.unsigned_abs()).unwrap();
    let at = if number < 0 {
        elements.len().checked_sub(from_end)
    } else {
        Some(from_end)
    };
    at.and_then(|at| elements.get(at))
        .cloned()
        .unwrap_or_default()
}

/// Equality never converts; order is only known between numbers, because the rubric asks for no other.
fn compare(how: Comparison, left: &Value, right: &Value) -> Result<bool, Failure> {
    match how {
        Comparison::Equal => return Ok(left == right),
        Comparison::NotEqual => return Ok(left != right),
        Comparison::Less
        | Comparison::LessOrEqual
        | Comparison::Greater
        | Comparison::GreaterOrEqual => {}
    }
    let (Some(left), Some(right)) = (left.as_f64(), right.as_f64()) else {
        return Err(Failure::Unsupported(format!("order of {left}, {right}")));
    };
    let order = left.total_cmp(&right);
    Ok(match how {
        Comparison::Less => order == Ordering::Less,
        Comparison::LessOrEqual => order != Ordering::Greater,
        Comparison::Greater => order == Ordering::Greater,
        Comparison::GreaterOrEqual => order != Ordering::Less,
        Comparison::Equal | Comparison::NotEqual => false,
    })
}

/// Null becomes the empty text, the only conversion there is for it; a number could become a text or an
/// array, so it becomes neither.
fn length(of: &Value) -> Result<Value, Failure> {
    match of {
        Value::Null => Ok(Value::from(0)),
        Value::String(text) => Ok(Value::from(text.chars().count())),
        Value::Array(elements) => Ok(Value::from(elements.len())),
        Value::Object(fields) => Ok(Value::from(fields.len())),
        Value::Bool(_) | Value::Number(_) => Err(Failure::Type(format!("length of {of}"))),
    }
}

fn contains(subject: &Value, wanted: &Value) -> Result<Value, Failure> {
    let text = match subject {
        Value::Array(elements) => return Ok(Value::Bool(elements.contains(wanted))),
        Value::Null => "",
        Value::String(text) => text.as_str(),
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => {
            return Err(Failure::Type(format!("contains in {subject}")));
        }
    };
    match wanted {
        Value::String(wanted) => Ok(Value::Bool(text.contains(wanted.as_str()))),
        _ => Err(Failure::Type(format!("a text contains {wanted}"))),
    }
}
