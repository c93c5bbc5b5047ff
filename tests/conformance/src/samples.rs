//! What images and sounds are made of.

/// One red pixel.
pub const PNG: &[u8] = include_bytes!("pixel.png");

/// Eight samples of silence.
pub const WAV: &[u8] = include_bytes!("silence.wav");
