//! Products of a batch of matrices, as attention has them: every item has rows and a matrix of its own.

use burn_cubecl::cubecl::prelude::*;

use super::ACROSS;
use super::gather::gather_product;
use super::scatter::scatter_product;
use crate::graphics::{Resident, empty, lanes, numbers};

/// Sizes of products of a batch of matrices: rows of each left one, the common axis, columns of each right one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Batch {
    pub items: usize,
    pub rows: usize,
    pub inner: usize,
    pub columns: usize,
}

/// `left · right` of every item, `[items, rows, columns]`; with `turned`, `right` is `[items, columns, inner]`.
pub(crate) fn products(sizes: Batch, left: Resident, right: Resident, turned: bool) -> Resident {
    let Batch {
        items,
        rows,
        inner,
        columns,
    } = sizes;
    let output = empty(&left, &[items, rows, columns]);
    let vectors = if columns > 4 * ACROSS { 2 } else { 1 };
    let lines = 8;
    let client = left.client.clone();
    let count = CubeCount::Static(
        rows.div_ceil(8 * lines) as u32,
        columns.div_ceil(4 * ACROSS * vectors) as u32,
        items as u32,
    );
    // Safety: every index is checked against the sizes, which are those of the tensors.
    unsafe {
        gather_product::launch_unchecked(
            &client,
            count,
            CubeDim::new_1d((ACROSS * lines) as u32),
            lanes(inner),
            lanes(if turned { inner } else { columns }),
            lanes(columns),
            numbers(left),
            numbers(right.clone()),
            // Not read.
            numbers(right),
            numbers(output.clone()),
            rows as u32,
            1,
            1,
            1,
            1,
            inner as u32,
            columns as u32,
            1,
            1,
            lines,
            vectors,
            turned,
            false,
            false,
            true,
        );
    }
    output
}

/// `leftᵀ · right` of every item, `[items, inner, columns]`: `left` is `[items, rows, inner]`, `right` `[items, rows, columns]`.
pub(crate) fn turned_products(sizes: Batch, left: Resident, right: Resident) -> Resident {
    let Batch {
        items,
        rows,
        inner,
        columns,
    } = sizes;
    let output = empty(&left, &[items, inner, columns]);
    let vectors = if columns > 4 * ACROSS { 2 } else { 1 };
    let lines = 8;
    let client = left.client.clone();
    let count = CubeCount::Static(
        inner.div_ceil(8 * lines) as u32,
        columns.div_ceil(4 * ACROSS * vectors) as u32,
        items as u32,
    );
    // Safety: every index is checked against the sizes, which are those of the tensors.
    unsafe {
        scatter_product::launch_unchecked(
            &client,
            count,
            CubeDim::new_1d((ACROSS * lines) as u32),
            lanes(inner),
            lanes(columns),
            numbers(left),
            numbers(right),
            numbers(output.clone()),
            rows as u32,
            1,
            1,
            1,
            1,
            inner as u32,
            columns as u32,
            1,
            1,
            rows as u32,
            lines,
            vectors,
            true,
        );
    }
    output
}
