//! The results that are read.
