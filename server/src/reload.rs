//! The examiner in force, which a reload replaces while uploads are being examined. It knows nothing of files
//! or signals: whoever reloads makes the new examiner first, so a bad policy never gets this far.

use std::sync::{Arc, PoisonError, RwLock};

use verdict::Examiner;

/// One examiner at a time. Cheap to ask.
pub struct ExaminerCell(RwLock<Arc<Examiner>>);

impl ExaminerCell {
    /// Begins with `examiner`.
    pub fn new(examiner: Arc<Examiner>) -> Self {
        Self(RwLock::new(examiner))
    }

    /// The one in force. Ask once per upload: what is begun under one set of rules is finished under it.
    pub fn current(&self) -> Arc<Examiner> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// From now on, `examiner` is in force.
    pub fn replace(&self, examiner: Arc<Examiner>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = examiner;
    }
}
