//! Conforming products, on real files.

use provenance::SignerStatus;

use crate::corpus::{at, corpus, judge, open, table};

#[test]
fn pixel_files_name_the_product_and_its_level() {
    if corpus().is_none() {
        return;
    }
    let check = |file: &str, product: &str, level: u8| {
        let found = judge().judge(&open(file), None, at("2026-11-23T12:00:00Z"));
        assert_eq!(found.signer.status, SignerStatus::C2paList, "{file}");
        assert_eq!(found.signer.product.as_deref(), Some(product), "{file}");
        assert_eq!(found.signer.assurance_level, Some(level), "{file}");
    };
    check(
        "files/966571605e93-PXL_20250818_155024632~4.jpg",
        "Google Photos",
        1,
    );
    check("files/d949c56121dd-conformant-b.jpg", "Google Photos", 1);
    check(
        "files/ed590be28723-PXL_20260208_202351558.jpg",
        "Google Media Processing Services",
        1,
    );
}

#[test]
fn only_the_official_list_makes_a_product() {
    let Some(rows) = table("cases.tsv") else {
        return;
    };
    let judge = judge();
    for row in &rows {
        let signer = judge
            .judge(&open(&row["file"]), None, at("2026-11-23T12:00:00Z"))
            .signer;
        println!(
            "{:?} {:?} {:?} {}",
            signer.status, signer.product, signer.assurance_level, row["file"]
        );
        let official = signer.status == SignerStatus::C2paList;
        assert!(official || signer.product.is_none(), "{}", row["file"]);
        assert_eq!(signer.product.is_some(), signer.assurance_level.is_some());
    }
}
