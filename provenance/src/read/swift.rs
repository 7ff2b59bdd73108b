//! The short way through the library: it is told the outcome of what we have worked out before.
//!
//! The library checks every chain of certificates of every file anew, up to four RSA verifications for a
//! signer and as many for a time stamp. Both answers are remembered here, so it is given the signers
//! whose chains were found good, and no anchors. It still checks every signature and every token.
//! Whether it then says what it would have said with the anchors is looked at afterwards; where not, or
//! where something stands in the store that asks the lists in another way, the long way is gone.

use std::io::Cursor;

use c2pa::Builder;
use media::Media;
use memchr::memmem;

use super::{
    RawManifest, Reading, Selection, SignedManifest, StoreReader,
    context::Believed,
    convert, format_of, model,
    stamp::{self, Authority},
    standing::Standing,
};
use crate::{cms, codes, jumbf, time::Timestamp};

/// Largest file that the library takes in as an ingredient: it copies it to look for XMP, which past this
/// size costs more than it saves.
const MAX_COPIED: usize = 1 << 20;

/// What the library is told and what it has to find.
pub(super) struct Plan<'a> {
    believed: Believed<'a>,
    expected: Vec<Expected<'a>>,
}

/// What is expected of one manifest.
struct Expected<'a> {
    label: &'a str,
    leaf: &'a [u8],
    standing: Standing,
    /// Whether the library is told to believe the signer.
    is_believed: bool,
    is_first_version: bool,
    /// What the lists say of its time stamp; `None` where they are not asked.
    authority: Option<Authority>,
}

impl StoreReader {
    /// `None` where the long way has to be gone.
    pub(super) fn plan<'a>(
        &self,
        store: &[u8],
        manifests: &'a [SignedManifest<'a>],
        now: Timestamp,
    ) -> Option<Plan<'a>> {
        if manifests.is_empty() || jumbf::is_compressed(store) {
            return None;
        }
        let mut expected: Vec<Expected<'a>> = Vec::with_capacity(manifests.len());
        for manifest in manifests {
            let one = self.expect(manifest, now)?;
            // The library is told of certificates, not of chains: one leaf has to have one standing.
            let differs = |other: &Expected<'_>| {
                other.label == one.label
                    || other.leaf == one.leaf && other.is_believed != one.is_believed
            };
            if expected.iter().any(differs) {
                return None;
            }
            expected.push(one);
        }
        let asks_responders = manifests.iter().any(asks_about_revocation);
        let verify_stamps = self.has_to_verify_stamps(manifests, &expected, asks_responders)?;
        let believed = expected.iter().filter(|one| one.is_believed);
        let mut signers: Vec<&[u8]> = believed.map(|one| one.leaf).collect();
        signers.sort_unstable();
        signers.dedup();
        // Responders chain to anchors.
        let anchors = if asks_responders {
            self.select(store, manifests)
        } else {
            Selection::default()
        };
        let believed = Believed {
            signers,
            anchors,
            verify_stamps,
        };
        Some(Plan { believed, expected })
    }

    /// Whether the library has to ask the lists about time stamps: not where all would be trusted.
    /// `None` where some would be and some not. It asks them about a responder's answer whatever the
    /// version of the claim.
    fn has_to_verify_stamps(
        &self,
        manifests: &[SignedManifest<'_>],
        expected: &[Expected<'_>],
        asks_responders: bool,
    ) -> Option<bool> {
        let mut authorities: Vec<Authority> =
            expected.iter().filter_map(|one| one.authority).collect();
        if asks_responders {
            for stamp in manifests.iter().filter_map(|one| one.cose.stamp.as_ref()) {
                let authority = self.authority(stamp)?;
                let time = Timestamp::parse_rfc3339(&cms::time(&stamp.token)?)?;
                if matches!(authority, Authority::Trusted(span) if !span.contains(time)) {
                    return None;
                }
                authorities.push(authority);
            }
        }
        let mut untrusted = authorities.iter().map(|one| *one == Authority::Untrusted);
        let first = untrusted.next().unwrap_or(false);
        untrusted.all(|one| one == first).then_some(first)
    }

    fn expect<'a>(&self, manifest: &'a SignedManifest<'a>, now: Timestamp) -> Option<Expected<'a>> {
        let boxes = &manifest.boxes;
        let mut assertions = boxes.assertions.iter();
        let is_stamped_late = assertions.any(|one| one.label.starts_with("c2pa.time-stamp"));
        if !boxes.is_plain || boxes.claim.is_none() || is_stamped_late {
            return None;
        }
        let stamp = manifest.cose.stamp.as_ref();
        if stamp.is_none() && memmem::find(boxes.signature?, b"sigTst").is_some() {
            return None;
        }
        let authority = match stamp {
            Some(stamp) if !boxes.is_first_version => Some(self.authority(stamp)?),
            Some(_) | None => None,
        };
        let counts = authority != Some(Authority::Untrusted);
        let stamped = stamp
            .filter(|_| counts)
            .and_then(|stamp| cms::time(&stamp.token));
        let at = stamped
            .and_then(|time| Timestamp::parse_rfc3339(&time))
            .unwrap_or(now);
        let standing = self.standing(&manifest.cose.chain)?;
        Some(Expected {
            label: boxes.label,
            leaf: manifest.cose.chain.first()?,
            is_believed: standing.library.is_some() && standing.holds_at(at),
            is_first_version: boxes.is_first_version,
            standing,
            authority,
        })
    }

    /// What the library says when it believes the signers of `plan`; `None` when that may not be what it
    /// would say with the anchors.
    pub(super) fn follow(
        &self,
        plan: &Plan<'_>,
        media: &Media,
        sidecar: Option<&[u8]>,
        manifests: &[SignedManifest<'_>],
    ) -> Option<Reading> {
        let is_small = sidecar.is_none() && media.bytes().len() <= MAX_COPIED;
        let model = is_small.then(|| model::manifests(manifests)).flatten();
        let swift = model.and_then(|model| self.ask_as_ingredient(media, plan, manifests, model));
        let mut reading = match swift {
            Some(reading) => reading,
            None => self.ask(media, sidecar, &plan.believed).ok()?,
        };
        self.is_as_planned(plan, &reading).then(|| {
            self.name_lists(plan, &mut reading);
            reading
        })
    }

    /// The library's checks without its model of the manifests, by way of an ingredient: it validates
    /// what it takes in as an ingredient just as what it reads, and stops there.
    fn ask_as_ingredient(
        &self,
        media: &Media,
        plan: &Plan<'_>,
        manifests: &[SignedManifest<'_>],
        model: Vec<RawManifest>,
    ) -> Option<Reading> {
        let context = self.context(&plan.believed).ok()?;
        let mut builder = Builder::from_shared_context(&context);
        let mut stream = Cursor::new(media.bytes());
        let ingredient = builder
            .add_ingredient_from_stream("{}", format_of(media), &mut stream)
            .ok()?;
        let active = ingredient.active_manifest()?;
        let mut reading = convert::judgement(ingredient.validation_results()?, model);
        for (number, manifest) in manifests.iter().enumerate() {
            let signed_at = signed_at(manifest, &reading)?;
            let raw = reading.manifests.get_mut(number)?;
            raw.signed_at = signed_at;
            raw.active = raw.label == active;
        }
        convert::sort(&mut reading.manifests);
        reading.manifests.first()?.active.then_some(reading)
    }

    /// Whether the library, knowing the anchors, would have said the same.
    fn is_as_planned(&self, plan: &Plan<'_>, reading: &Reading) -> bool {
        let Some(clock) = reading.checked_at else {
            return false;
        };
        plan.expected.len() == reading.manifests.len()
            && plan.expected.iter().all(|one| one.is_met(reading, clock))
    }

    /// Puts the names of the lists where the library would have.
    fn name_lists(&self, plan: &Plan<'_>, reading: &mut Reading) {
        for status in &mut reading.statuses {
            let label = codes::manifest_label(&status.url);
            let one = plan.expected.iter().find(|one| Some(one.label) == label);
            if let (Some(one), "signingCredential.trusted") = (one, status.code.0.as_str()) {
                let list = one.standing.library.and_then(|list| self.lists.get(list));
                let by_itself = one.standing.validity.is_none();
                status.list = list
                    .filter(|_| !by_itself)
                    .map(|list| list.info.name.clone());
            }
        }
    }
}

/// The time of a sound stamp. The library says of the active manifest's whether it is sound, and of
/// others' where no ingredient has recorded the same before.
fn signed_at(manifest: &SignedManifest<'_>, reading: &Reading) -> Option<Option<String>> {
    let Some(stamp) = &manifest.cose.stamp else {
        return Some(None);
    };
    let says = |codes: &[&str]| codes::says_of_signature(reading, manifest.boxes.label, codes);
    let is_refused = || {
        says(&[
            "timeStamp.malformed",
            "timeStamp.mismatch",
            "timeStamp.outsideValidity",
        ])
    };
    if says(&["timeStamp.validated"]) || !is_refused() && stamp::is_sound(stamp) {
        cms::time(&stamp.token).map(Some)
    } else {
        Some(None)
    }
}

/// Whether a manifest carries an answer of a responder (OCSP) about its signer's certificate.
fn asks_about_revocation(manifest: &SignedManifest<'_>) -> bool {
    let mut assertions = manifest.boxes.assertions.iter();
    let stapled = |signature| memmem::find(signature, b"rVals").is_some();
    manifest.boxes.signature.is_some_and(stapled)
        || assertions.any(|one| one.label.starts_with("c2pa.certificate-status"))
}

impl Expected<'_> {
    fn is_met(&self, reading: &Reading, clock: Timestamp) -> bool {
        let Some(raw) = reading.manifests.iter().find(|raw| raw.label == self.label) else {
            return false;
        };
        // The box has a version in its name, but the library goes by what stands in the claim.
        if (raw.claim_version == Some(1)) != self.is_first_version {
            return false;
        }
        let stamped = match raw.signed_at.as_deref().map(Timestamp::parse_rfc3339) {
            Some(None) => return false,
            Some(time) => time,
            None => None,
        };
        let (at, is_trusted_time) = match (stamped, self.authority) {
            (Some(time), Some(Authority::Trusted(span))) => (time, span.contains(time)),
            (Some(time), None) => (time, true),
            (Some(_), Some(Authority::Untrusted)) | (None, _) => (clock, true),
        };
        // The library judged the chain for the time of an accepted stamp, else for its clock's. Of a leaf
        // outside its validity it says the same whether it knows the anchor or not.
        let is_standing = match (self.standing.library, self.is_believed) {
            (None, _) => true,
            (Some(_), true) => self.standing.holds_at(at),
            (Some(_), false) => !self.standing.leaf.contains(at),
        };
        is_trusted_time && is_standing
    }
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        path::{Path, PathBuf},
    };

    use media::{Limits, Media, Name};

    use super::super::{Believed, Reading, SignedManifest, StoreReader, Timestamp, TrustStore};

    /// The bundled lists and, where they are, the public test roots, so that more signers are believed.
    fn reader() -> StoreReader {
        let mut store = TrustStore::bundled().unwrap();
        for name in ["test-roots.pem", "test-cards-anchors.pem"] {
            if let Ok(pem) = fs::read(root().join("../shared/trust").join(name)) {
                store.add_anchors_pem(name, &pem).unwrap();
            }
        }
        StoreReader::new(store).unwrap()
    }

    fn root() -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
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
    }

    fn now() -> Timestamp {
        let since = std::time::UNIX_EPOCH.elapsed().unwrap();
        Timestamp(i64::try_from(since.as_secs()).unwrap())
    }

    /// The statuses, in an order that does not matter to the judge, and the state.
    fn words(reading: &Reading) -> Vec<String> {
        let statuses = reading.statuses.iter().map(|status| {
            // The name of the list is ours; the library's is at times that of another one.
            let (code, outcome) = (&status.code, status.outcome);
            format!(
                "{code:?} {outcome:?} {} {:?}",
                status.url, status.ingredient
            )
        });
        let mut words: Vec<String> = statuses.collect();
        words.sort();
        words.push(format!("{:?}", reading.state));
        words
    }

    #[test]
    fn the_short_way_says_what_the_long_way_says() {
        let reader = reader();
        let now = now();
        let mut files = Vec::new();
        walk(&root().join("fixtures/media"), &mut files);
        walk(&root().join("../shared/corpus"), &mut files);
        if !root().join("../shared/corpus").is_dir() {
            println!("SKIPPED: ../shared/corpus is not here; only the fixtures are compared");
        }
        let (mut stores, mut short) = (0, 0);
        for path in files {
            let Ok(media) = Media::open(&path, &Limits::default()) else {
                continue;
            };
            if let Some(went_short) = compare(&reader, &media, now) {
                stores += 1;
                short += u32::from(went_short);
            }
        }
        println!("{short} of {stores} stores went the short way");
        assert!(short > 0 && short * 3 > stores * 2, "{short} of {stores}");
    }

    #[test]
    fn both_ways_say_the_same_of_damaged_stores() {
        let (reader, now) = (reader(), now());
        let mut short = 0;
        // Every byte once or every other byte was tried when this was written; now and then suffices.
        for (name, step) in [
            ("signed_trusted.jpg", 23),
            ("broken_ingredient.jpg", 37),
            ("ai_declared_in_ingredient.jpg", 37),
        ] {
            let bytes = fs::read(root().join("fixtures/media").join(name)).unwrap();
            for at in (0..bytes.len().min(14_000)).step_by(step) {
                let mut changed = bytes.clone();
                changed[at] ^= 1 << (at % 8);
                let name = Name::from_text(&format!("{name} with byte {at} changed"));
                let media = Media::from_bytes(name, None, changed, &Limits::default()).unwrap();
                short += u32::from(compare(&reader, &media, now).unwrap_or(false));
            }
        }
        assert!(short > 0);
    }

    /// Whether the short way was gone; `None` where there is no store.
    fn compare(reader: &StoreReader, media: &Media, now: Timestamp) -> Option<bool> {
        let store = reader.embedded_store(media).ok()?;
        let manifests = SignedManifest::all(&store);
        let anchors = Believed::anchors(reader.select(&store, &manifests));
        let long = reader.ask(media, None, &anchors);
        let plan = reader.plan(&store, &manifests, now);
        let found = plan.and_then(|plan| reader.follow(&plan, media, None, &manifests));
        let Some(found) = found else {
            return Some(false);
        };
        let name = &media.name.display;
        let Ok(long) = long else {
            panic!("{name} is malformed")
        };
        assert_eq!(words(&found), words(&long), "{name}");
        // Not printed: the fields of some of the library's types have no order.
        assert!(found.manifests == long.manifests, "{name}");
        Some(true)
    }
}
