//! Bars of what takes minutes.

use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

/// The bar of a whole package.
#[must_use]
pub fn overall(bars: &MultiProgress, wheels: usize, package: &str) -> ProgressBar {
    let all = bars.add(ProgressBar::new(wheels as u64).with_style(style("{msg} {pos}/{len} wheels, {eta} left")));
    all.set_message(package.to_owned());
    all.enable_steady_tick(Duration::from_millis(500));
    all
}

/// A style by its template.
#[must_use]
pub fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
