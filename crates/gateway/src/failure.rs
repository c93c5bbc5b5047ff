//! Every way in which an upstream can fail.
