//! The named entrypoint: what endpoints ask.
