//! What the command line shows: tables, progress, one JSON object, and pictures as PNG files.
//!
//! | to show | module |
//! |---|---|
//! | samples of image-like data | [`grid`], what its colours mean: [`key`] |
//! | samples beside training data | [`neighbours`] |
//! | pictures before and after infilling | [`infilling`] |
//! | a training run | [`curve`], its upper panel [`validation`] |
//! | a distribution of two sites | [`histogram2d`] |
//! | quantities against a setting | [`chart`] |
//! | shares of a few outcomes | [`bars`] |
//! | results in the terminal | [`table`] |
//! | work under way | [`progress`] |
//! | results for a program | [`json`] |
//!
//! The pictures stand on [`canvas`] (pixels and strokes), [`drawing`] (the same, or SVG), [`text`],
//! [`axis`], [`plot`] and [`colour`].

pub mod axis;
pub mod bars;
pub mod canvas;
pub mod chart;
pub mod colour;
pub mod curve;
pub mod drawing;
pub mod grid;
pub mod histogram2d;
pub mod infilling;
pub mod json;
pub mod key;
pub mod neighbours;
pub mod plot;
pub mod progress;
pub mod table;
pub mod text;
pub mod validation;
