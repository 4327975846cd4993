//! The examples run, each for a moment.

#![allow(dead_code, reason = "an example has a main function of its own")]

use std::time::Duration;

#[path = "../examples/conditional.rs"]
mod conditional;
#[path = "../examples/energy.rs"]
mod energy;
#[path = "../examples/picture.rs"]
mod picture;
#[path = "../examples/table.rs"]
mod table;

const MOMENT: Duration = Duration::from_millis(500);

#[test]
fn a_table_is_learned_sampled_scored_filled_in_and_predicted() {
    let votes = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/data/votes.csv");
    table::run(votes, "party", MOMENT).unwrap();
}

#[test]
fn lower_halves_are_drawn_given_upper_ones() {
    picture::run(MOMENT).unwrap();
}

#[test]
fn conditions_are_told_to_a_model() {
    conditional::run(MOMENT).unwrap();
}

#[test]
fn an_energy_is_learned_from_samples() {
    energy::run(20, 2_000).unwrap();
}
