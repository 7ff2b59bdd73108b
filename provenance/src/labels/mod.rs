//! Unsigned labels: what the file says outside any manifest. Claims of whoever wrote it last.

use media::Media;

use crate::finding::UnsignedLabel;

/// Every label of `media`, in file order.
pub(crate) fn read(_media: &Media) -> Vec<UnsignedLabel> {
    Vec::new()
}
