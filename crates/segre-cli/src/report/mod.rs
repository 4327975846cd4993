//! What the command line shows: tables, progress, one JSON object, and pictures as PNG files.
//!
//! | to show | module |
//! |---|---|
//! | samples of image-like data | [`samples`], [`grid`], what its colours mean: [`key`] |
//! | samples beside training data | [`neighbours`], how far they are: [`distances`] |
//! | outliers beside test rows | [`outliers`] |
//! | pictures before and after infilling | [`infilling`] |
//! | a training run | [`curve`] |
//! | a distribution of two sites | [`histogram2d`] |
//! | quantities against a setting | [`chart`] |
//! | shares of a few outcomes | [`bars`] |
//! | results in the terminal | [`table`], scores beside baselines: [`baselines`], evaluations: [`evaluation`] |
//! | work under way | [`progress`] |
//! | results for a program | [`json`] |
//!
//! The pictures stand on [`drawing`] (an SVG, and its PNG by `resvg`), [`axis`] and [`colour`].

pub mod axis;
pub mod bars;
pub mod baselines;
pub mod chart;
pub mod colour;
pub mod curve;
pub mod distances;
pub mod drawing;
pub mod evaluation;
pub mod grid;
pub mod histogram2d;
pub mod infilling;
pub mod json;
pub mod key;
pub mod neighbours;
pub mod outliers;
pub mod progress;
pub mod quality;
pub mod samples;
pub mod table;
