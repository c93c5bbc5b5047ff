//! A colour of the operator's, and shades of it that are readable on both of its backgrounds.
//!
//! Contrast is that of WCAG 2.2 (§1.4.3): 4.5 to 1 at least for text.

use std::fmt;

/// The minimum of WCAG 2.2 (4.5), and a margin for the approximated luminance.
const READABLE: f32 = 4.6;

/// Colours look less bright on a dark background than their contrast suggests.
const READABLE_ON_DARK: f32 = 6.0;

/// The backgrounds with the lower contrast in each scheme (`style.css`).
const LIGHT_BACKGROUND: Color = Color([0xf6, 0xf7, 0xf4]);
const DARK_BACKGROUND: Color = Color([0x1a, 0x1e, 0x1a]);

const WHITE: Color = Color([0xff; 3]);
const BLACK: Color = Color([0x10, 0x14, 0x11]);

/// Steps between a colour and black or white, small enough not to be visible.
const STEPS: u8 = 64;

/// A colour in sRGB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Color([u8; 3]);

impl Color {
    /// The default colour of pages.
    pub const DEFAULT: Self = Self([0x1f, 0x6b, 0x4a]);

    /// Parses `#rrggbb`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6)?;
        // `from_str_radix` alone would accept a plus sign.
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let [_, red, green, blue] = u32::from_str_radix(digits, 16).ok()?.to_be_bytes();
        Some(Self([red, green, blue]))
    }

    /// Returns the relative luminance, from 0 to 1. A polynomial approximates the exponent of sRGB with an error of less
    /// than 0.002, and needs no floating-point library.
    fn luminance(self) -> f32 {
        let linear = |value: u8| {
            let value = f32::from(value) / 255.0;
            value * (value * (value * 0.305_306 + 0.682_171_1) + 0.012_522_9)
        };
        let [red, green, blue] = self.0.map(linear);
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    fn contrast(self, other: Self) -> f32 {
        let (one, two) = (self.luminance() + 0.05, other.luminance() + 0.05);
        if one > two { one / two } else { two / one }
    }

    /// Mixes this colour with `step` of [`STEPS`] parts of another.
    fn toward(self, other: Self, step: u8) -> Self {
        let mix = |channel: usize| {
            let (own, its) = (u16::from(self.0[channel]), u16::from(other.0[channel]));
            let (step, steps) = (u16::from(step), u16::from(STEPS));
            u8::try_from((own * (steps - step) + its * step) / steps).unwrap_or(u8::MAX)
        };
        Self([0, 1, 2].map(mix))
    }

    /// Returns the brightest shade with the same saturation.
    fn brightest(self) -> Self {
        let most = self.0.into_iter().max().unwrap_or_default().max(1);
        let raise = |value: u8| u8::try_from(u16::from(value) * 255 / u16::from(most)).unwrap_or(u8::MAX);
        Self(self.0.map(raise))
    }

    /// Returns the nearest shade that is readable in the light scheme: this colour or a darker one.
    fn on_light(self) -> Self {
        let shades = (0..=STEPS).map(|step| self.toward(BLACK, step));
        shades.into_iter().find(|shade| shade.contrast(LIGHT_BACKGROUND) >= READABLE).unwrap_or(BLACK)
    }

    /// Returns the nearest shade that is readable in the dark scheme: this colour, a brighter or a paler one.
    fn on_dark(self) -> Self {
        let brightest = self.brightest();
        let brighter = (0..=STEPS).map(|step| self.toward(brightest, step));
        let paler = (0..=STEPS).map(|step| brightest.toward(WHITE, step));
        brighter.chain(paler).find(|shade| shade.contrast(DARK_BACKGROUND) >= READABLE_ON_DARK).unwrap_or(WHITE)
    }

    /// Returns black or white, the one with the higher contrast to this colour.
    #[must_use]
    pub fn text_on_it(self) -> Self {
        if self.contrast(WHITE) >= self.contrast(BLACK) { WHITE } else { BLACK }
    }

    /// Returns the custom properties of `style.css`, for both schemes.
    #[must_use]
    pub fn style(self) -> String {
        let (light, dark) = (self.on_light(), self.on_dark());
        format!(
            ":root{{--accent:{light};--on-accent:{}}}\
             @media(prefers-color-scheme:dark){{:root{{--accent:{dark};--on-accent:{}}}}}",
            light.text_on_it(),
            dark.text_on_it(),
        )
    }
}

impl fmt::Display for Color {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.0;
        write!(formatter, "#{red:02x}{green:02x}{blue:02x}")
    }
}

// ---------------------------------------------------------------------------------------------------------------------

#[cfg(test)]
mod tests {
    use super::*;

    /// Contrast by the formula of WCAG 2.2, without approximation.
    fn exact_contrast(one: Color, two: Color) -> f64 {
        let luminance = |color: Color| {
            let linear = |value: u8| {
                let value = f64::from(value) / 255.0;
                if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
            };
            let [red, green, blue] = color.0.map(linear);
            0.2126 * red + 0.7152 * green + 0.0722 * blue
        };
        let (one, two) = (luminance(one) + 0.05, luminance(two) + 0.05);
        (one / two).max(two / one)
    }

    #[test]
    fn every_colour_becomes_readable_in_both_schemes() {
        let levels = || (0..=255).step_by(15).map(|level| u8::try_from(level).unwrap_or_default());
        for color in levels().flat_map(|r| levels().flat_map(move |g| levels().map(move |b| Color([r, g, b])))) {
            for (background, shade) in [(LIGHT_BACKGROUND, color.on_light()), (DARK_BACKGROUND, color.on_dark())] {
                assert!(exact_contrast(shade, background) >= 4.5, "{color} became {shade}");
                assert!(exact_contrast(shade, shade.text_on_it()) >= 4.5, "text on {shade}");
            }
        }
    }

    #[test]
    fn a_colour_that_is_readable_stays_as_it_is() {
        assert_eq!(Color::DEFAULT.on_light(), Color::DEFAULT);
        assert!(Color::DEFAULT.style().starts_with(":root{--accent:#1f6b4a;--on-accent:#ffffff}"));
    }

    #[test]
    fn colours_are_six_digits_after_a_hash() {
        assert_eq!(Color::parse("#1F6b4a"), Some(Color::DEFAULT));
        for other in ["", "#", "1f6b4a", "#1f6b4", "#1f6b4aa", "#+f6b4a", "#1f6b4g", "green", "#ü6b4a"] {
            assert_eq!(Color::parse(other), None, "{other}");
        }
    }

    #[test]
    fn the_backgrounds_are_those_of_the_style() {
        let style = include_str!("../../mcp-edge/src/page/browser/style.css");
        assert!(
            style.contains(&format!("--page: {LIGHT_BACKGROUND};"))
                && style.contains(&format!("--card: {DARK_BACKGROUND};"))
        );
    }
}
