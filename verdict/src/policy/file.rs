//! A policy file: which keys it may hold and which values they may have.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::{
    policy::{MetadataClass, Policy, PolicyError, Suspicious},
    report::Code,
};

/// `base` with the keys of `text` in place of its own.
pub(super) fn read(text: &str, base: Policy) -> Result<Policy, PolicyError> {
    let overrides: Overrides = toml::from_str(text).map_err(Box::new)?;
    overrides.apply(base)
}

/// What a policy file may say. Every key is optional.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Overrides {
    name: Option<String>,
    version: Option<u32>,
    pixels: PixelOverrides,
    review: ReviewOverrides,
    cost: BTreeMap<Code, u8>,
    china: ChinaOverrides,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct PixelOverrides {
    alarm_rate: Option<f32>,
    suspicion_rate: Option<f32>,
    quiet_llr: Option<f32>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct ReviewOverrides {
    codes: Option<BTreeSet<Code>>,
    suspicious: Option<Suspicious>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct ChinaOverrides {
    metadata_declaration: Option<MetadataClass>,
}

impl Overrides {
    fn apply(self, base: Policy) -> Result<Policy, PolicyError> {
        let mut costs = base.costs;
        costs.extend(self.cost);
        Policy {
            name: checked_name(self.name.unwrap_or_else(|| UNNAMED.to_owned()))?,
            version: self.version.unwrap_or(base.version),
            alarm_rate: self.pixels.alarm_rate.unwrap_or(base.alarm_rate),
            suspicion_rate: self.pixels.suspicion_rate.unwrap_or(base.suspicion_rate),
            quiet_llr: self.pixels.quiet_llr.unwrap_or(base.quiet_llr),
            review: self.review.codes.unwrap_or(base.review),
            suspicious_inconclusive: self
                .review
                .suspicious
                .unwrap_or(base.suspicious_inconclusive),
            costs,
            china_metadata: self
                .china
                .metadata_declaration
                .unwrap_or(base.china_metadata),
        }
        .checked()
    }
}

/// The name `default` is ours: a report must not claim it for another policy.
fn checked_name(name: String) -> Result<String, PolicyError> {
    let plain =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
    let fits = (1..=40).contains(&name.len()) && name.bytes().all(plain) && name != "default";
    if fits {
        Ok(name)
    } else {
        Err(PolicyError::Name(name))
    }
}

impl Policy {
    fn checked(self) -> Result<Self, PolicyError> {
        let range = |key, found: f32, fits: bool, allowed| {
            if fits {
                Ok(())
            } else {
                Err(PolicyError::Range {
                    key,
                    found,
                    allowed,
                })
            }
        };
        range(
            "pixels.alarm_rate",
            self.alarm_rate,
            (0.0..=MAX_ALARM_RATE).contains(&self.alarm_rate),
            "0 to 0.1",
        )?;
        range(
            "pixels.suspicion_rate",
            self.suspicion_rate,
            (self.alarm_rate..=MAX_SUSPICION_RATE).contains(&self.suspicion_rate),
            "from pixels.alarm_rate to 0.5",
        )?;
        range(
            "pixels.quiet_llr",
            self.quiet_llr,
            (MIN_QUIET_LLR..=0.0).contains(&self.quiet_llr),
            "-20 to 0",
        )?;
        self.check_costs()?;
        Ok(self)
    }

    fn check_costs(&self) -> Result<(), PolicyError> {
        let conflict = self.cost(Code::Conflict);
        for (&code, &cost) in &self.costs {
            if cost > MAX_COST {
                return Err(PolicyError::Cost { code, cost });
            }
            if code != Code::Conflict && cost >= conflict {
                return Err(PolicyError::CostOrder {
                    code,
                    cost,
                    conflict,
                });
            }
        }
        Ok(())
    }
}

/// Name of a policy file that gives none.
const UNNAMED: &str = "custom";
/// A platform that accepts more than one false alarm in ten has no alarm.
const MAX_ALARM_RATE: f32 = 0.1;
/// Beyond one in two, a suspicion says less than a coin.
const MAX_SUSPICION_RATE: f32 = 0.5;
/// Below this no model speaks: the calibration caps evidence far above it.
const MIN_QUIET_LLR: f32 = -20.0;
/// Costs are per cent of the worst case.
const MAX_COST: u8 = 100;
