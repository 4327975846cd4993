//! Points of two coordinates beside the diagonal on which both are equal.

use super::axis::{Plot, Scale};
use super::colour::{BLUE, GREY, INK};
use super::drawing::{Drawing, Paint};

const LEFT: f32 = 66.0;
const TOP: f32 = 44.0;
const SIDE: f32 = 320.0;

/// Draws points; both axes have one scale.
pub fn draw_scatter(across: &str, up: &str, points: &[[f64; 2]]) -> Drawing {
    let finite = points.iter().flatten().copied().filter(|x| x.is_finite());
    let scale = Scale::spanning(finite, false).unwrap_or(Scale::linear(0.0, 1.0));
    let scale = scale.padded(0.04, 0.04);
    let plot = Plot {
        corner: (LEFT, TOP),
        size: (SIDE, SIDE),
        across: scale,
        up: scale,
    };
    let mut drawing = Drawing::new(LEFT + SIDE + 20.0, TOP + SIDE + 58.0);
    plot.backdrop(&mut drawing, up, INK, 5);
    plot.foot(&mut drawing, across, 5);
    let ends = [(scale.low, scale.low), (scale.high, scale.high)];
    plot.line(&mut drawing, &ends, 1.2, GREY);
    let paint = Paint {
        colour: BLUE,
        opacity: 0.45,
    };
    for [x, y] in points
        .iter()
        .filter(|point| point.iter().all(|x| x.is_finite()))
    {
        drawing.disc(plot.point((*x, *y)), 2.6, paint);
    }
    drawing
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pictures::drawing::tests::Decoded;

    #[test]
    fn equal_coordinates_lie_on_the_diagonal() {
        let decoded = Decoded::of(&draw_scatter("exact", "sampled", &[[0.0, 0.0], [1.0, 1.0]]));
        let place = |share: f32| {
            let inner = 0.04 / 1.08 + share / 1.08;
            let x = 2.0 * (LEFT + inner * SIDE);
            let y = 2.0 * (TOP + (1.0 - inner) * SIDE);
            (x as usize, y as usize)
        };
        for share in [0.0, 1.0] {
            let (x, y) = place(share);
            let [red, _, blue] = decoded.pixel(x + 2, y + 3);
            assert!(blue > red, "no point at {share}");
        }
    }
}
