//! What all pictures of a sweep share.

use plotters::style::RGBColor;

/// What lies behind the marks of an axis.
pub const PAPER: RGBColor = RGBColor(255, 255, 254);

/// A picture of a sweep.
#[derive(Debug)]
pub struct Drawing {
    /// Its name on the page.
    pub name: String,
    /// A whole SVG file.
    pub svg: String,
    /// What one has to know to read it.
    pub caption: String,
}
