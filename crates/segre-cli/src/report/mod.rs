//! What the command line shows in the terminal: tables, progress, one JSON object. Pictures and pages are those of `segre-report`.
//!
//! | to show | module |
//! |---|---|
//! | results | [`table`], scores beside baselines: [`baselines`], evaluations: [`evaluation`], synthetic rows: [`quality`], histograms of one line: [`sparkline`] |
//! | work under way | [`progress`] |
//! | results for a program | [`json`] |

pub mod baselines;
pub mod evaluation;
pub mod json;
pub mod progress;
pub mod quality;
pub mod sparkline;
pub mod table;
