//! What Segre shows: pictures, and the page of a run.
//!
//! | to show | module |
//! |---|---|
//! | samples of image-like data | [`pictures::samples`], [`pictures::grid`], what their colours mean: [`pictures::key`] |
//! | samples beside training data | [`pictures::neighbours`], how far they are: [`pictures::distances`] |
//! | outliers beside test rows | [`pictures::outliers`] |
//! | pictures before and after infilling | [`pictures::infilling`] |
//! | a training run | [`pictures::curve`] |
//! | a distribution of two sites | [`pictures::histogram2d`] |
//! | quantities against a setting | [`pictures::chart`] |
//! | shares of a few outcomes | [`pictures::bars`] |
//! | a run, in one HTML file | [`page`] |
//! | the documents, as a site | [`book`] |
//!
//! Pictures stand on [`pictures::drawing`] (an SVG, and its PNG by `resvg`), [`pictures::axis`] and [`pictures::colour`]. The doors
//! use this crate, the library does not.

pub mod book;
mod markdown;
pub mod page;
pub mod pictures;
