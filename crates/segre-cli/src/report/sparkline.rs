//! Histograms of one line, for a terminal that shows block elements.

use std::env;
use std::io::{self, IsTerminal};

/// Heights of a bar, from nearly nothing to full.
const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Whether standard output is a terminal whose locale writes UTF-8; a file or another program gets no bars.
pub fn is_shown() -> bool {
    let named = ["LC_ALL", "LC_CTYPE", "LANG"].map(|name| env::var(name).unwrap_or_default());
    io::stdout().is_terminal() && writes_utf8(&named)
}

/// The first locale that is set decides, as POSIX has it.
fn writes_utf8(locales: &[String]) -> bool {
    let own = locales.iter().find(|locale| !locale.is_empty());
    own.is_some_and(|own| {
        let plain = own.to_lowercase().replace('-', "");
        plain.ends_with("utf8") || plain.contains("utf8@")
    })
}

/// Bars as high as shares, the largest one full: a space for nothing, the lowest bar for very little.
pub fn sparkline(shares: &[f64]) -> String {
    let largest = shares.iter().copied().fold(0.0, f64::max);
    let bar = |share: &f64| match *share > 0.0 {
        true => {
            let height = (share / largest * BLOCKS.len() as f64).ceil() as usize;
            BLOCKS[height.clamp(1, BLOCKS.len()) - 1]
        }
        false => ' ',
    };
    shares.iter().map(bar).collect()
}

/// A bar as long as a share of the largest one, in eighths of a letter.
pub fn bar(share: f64, largest: f64) -> String {
    const PARTS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    const LETTERS: f64 = 24.0;
    if share <= 0.0 {
        return String::new();
    }
    let eighths = ((share / largest * 8.0 * LETTERS).round() as usize).max(1);
    "█".repeat(eighths / 8) + PARTS[eighths % 8]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_as_high_as_shares() {
        assert_eq!(sparkline(&[0.0, 0.001, 0.25, 0.5]), " ▁▄█");
        assert_eq!(sparkline(&[1.0]), "█");
        assert_eq!(sparkline(&[0.0, 0.0]), "  ");
        assert_eq!(sparkline(&[]), "");
        assert_eq!(bar(0.5, 1.0), "█".repeat(12));
        assert_eq!(
            (bar(1e-9, 1.0), bar(0.0, 1.0)),
            ("▏".to_owned(), String::new())
        );
    }

    #[test]
    fn the_first_locale_that_is_set_decides() {
        let decided = |names: [&str; 3]| writes_utf8(&names.map(str::to_owned));
        assert!(decided(["", "", "en_GB.UTF-8"]) && decided(["C.utf8", "", "C"]));
        assert!(decided(["", "de_DE.UTF-8@euro", ""]));
        assert!(!decided(["C", "", "en_GB.UTF-8"]) && !decided(["", "", ""]));
        assert!(!decided(["", "", "de_DE.ISO-8859-1"]));
    }
}
