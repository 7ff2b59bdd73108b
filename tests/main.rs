//! The whole program through its real entry points.
