//! The picture: curves on the surface in the tetrahedron, and the same curves on the square.

use super::super::coupled_binary::OUTCOMES;
use super::{Place, end};
use segre_report::pictures::colour::{BLUE, FAINT, GREY, INK, PAPER, Rgb, VERMILION, mix};
use segre_report::pictures::drawing::{Anchor, Drawing, Paint, Point, Style};

/// A point in space.
type Space = [f64; 3];

/// Height of the tetrahedron's upper and lower edge: somewhat less than that of a regular one, so that
/// little of the surface hides the rest.
const LIFT: f64 = 0.72;
/// Its vertices in the order of the outcomes. With them `T(W)` is `z = LIFT x y`.
const VERTICES: [Space; 4] = [
    [1.0, 1.0, LIFT],
    [1.0, -1.0, -LIFT],
    [-1.0, 1.0, -LIFT],
    [-1.0, -1.0, LIFT],
];
/// Where the names of the vertices are, from the vertex.
const NAMES: [(Anchor, Point); 4] = [
    (Anchor::Start, (4.0, 27.0)),
    (Anchor::End, (-14.0, -2.0)),
    (Anchor::Start, (14.0, -2.0)),
    (Anchor::End, (-14.0, -2.0)),
];

/// Colours of curves by the vertex they end at: Okabe and Ito (2008).
const COLOURS: [Rgb; 4] = [BLUE, [0, 158, 115], [204, 121, 167], VERMILION];

/// Direction of view: turned about the vertical axis, and raised above the horizon, in radians.
const AZIMUTH: f64 = 0.49;
const ELEVATION: f64 = 0.62;
/// Units of the drawing to a unit of space, and where the centre of the tetrahedron lies.
const SCALE: f64 = 220.0;
const CENTRE: Point = (428.0, 440.0);

/// Patches of the surface along a side, and lines of its mesh.
const PATCHES: usize = 40;
const MESH: usize = 10;

/// The square.
const SQUARE: Point = (860.0, 150.0);
const SIDE: f32 = 400.0;

const WIDTH: f32 = 1340.0;
const HEIGHT: f32 = 760.0;
const TITLE: Style = style(22.0, true, INK);
const HEADING: Style = style(16.0, true, INK);
const NAME: Style = style(17.0, true, INK);
const LABEL: Style = style(15.0, false, GREY);

const fn style(size: f32, bold: bool, colour: Rgb) -> Style {
    Style { size, bold, colour }
}

/// Draws both panels and the legend.
pub fn draw(curves: &[Vec<Place>], weights: [f64; 4], target: [f64; 4]) -> Drawing {
    let mut drawing = Drawing::new(WIDTH, HEIGHT);
    let title = format!(
        "{} integral curves of the learned assignment flow, two coupled bits",
        curves.len()
    );
    drawing.text((40.0, 44.0), Anchor::Start, TITLE, &title);
    draw_tetrahedron(&mut drawing, curves, weights, target);
    draw_square(&mut drawing, curves, weights);
    draw_legend(&mut drawing);
    drawing
}

fn draw_tetrahedron(
    drawing: &mut Drawing,
    curves: &[Vec<Place>],
    weights: [f64; 4],
    target: [f64; 4],
) {
    let heading =
        "on the surface of factorising distributions in the tetrahedron of joint distributions";
    drawing.text((40.0, 78.0), Anchor::Start, LABEL, heading);
    let [v00, v01, v10, v11] = VERTICES.map(seen);
    draw_surface(drawing);
    draw_curves(drawing, curves, weights, |place| seen(embedded(place)));
    for (from, to) in [(v00, v01), (v01, v11), (v11, v10), (v10, v00)] {
        drawing.line(&[from, to], 1.8, INK);
    }
    // The two edges that are not on the surface.
    for (from, to) in [(v00, v11), (v01, v10)] {
        drawing.line(&[from, to], 1.8, GREY);
    }
    let centre = seen([0.0; 3]);
    let wanted = seen(mixture(target));
    drawing.dashes(&[centre, wanted], 1.4, INK);
    mark(drawing, centre, Mark::Barycentre);
    mark(drawing, wanted, Mark::Target);
    mark(drawing, seen(mixture(weights)), Mark::Mixture);
    for (index, vertex) in VERTICES.into_iter().enumerate() {
        let point = seen(vertex);
        drawing.disc(point, 7.5, PAPER);
        drawing.disc(point, 6.0, COLOURS[index]);
        let (anchor, (right, down)) = NAMES[index];
        let (x, y) = (point.0 + right, point.1 + down);
        drawing.text((x, y), anchor, NAME, OUTCOMES[index]);
        let weight = format!("weight {:.3}", weights[index]);
        drawing.text((x, y + 19.0), anchor, LABEL, &weight);
    }
}

/// The surface in patches from back to front, lighter where it faces the light, with a mesh.
fn draw_surface(drawing: &mut Drawing) {
    let at = |k: usize| k as f64 / PATCHES as f64;
    let mut patches: Vec<(f64, [Place; 4])> = Vec::new();
    for i in 0..PATCHES {
        for j in 0..PATCHES {
            let (a, b, c, d) = (at(i), at(i + 1), at(j), at(j + 1));
            let middle = embedded([(a + b) / 2.0, (c + d) / 2.0]);
            patches.push((nearness(middle), [[a, c], [b, c], [b, d], [a, d]]));
        }
    }
    patches.sort_by(|one, other| one.0.total_cmp(&other.0));
    for (_, corners) in patches {
        let colour = mix([150, 164, 190], [240, 244, 250], brightness(corners[0]));
        let points = corners.map(|corner| seen(embedded(corner)));
        // A hair larger than it is: no paper shines through between neighbours.
        let middle = (
            points.iter().map(|p| p.0).sum::<f32>() / 4.0,
            points.iter().map(|p| p.1).sum::<f32>() / 4.0,
        );
        let grown = points.map(|p| {
            (
                p.0 + 0.5 * (p.0 - middle.0).signum(),
                p.1 + 0.5 * (p.1 - middle.1).signum(),
            )
        });
        drawing.polygon(&grown, colour);
    }
    // The surface is ruled: lines of the mesh are straight.
    let mesh = Paint {
        colour: PAPER,
        opacity: 0.75,
    };
    for k in 1..MESH {
        let t = k as f64 / MESH as f64;
        for ends in [[[t, 0.0], [t, 1.0]], [[0.0, t], [1.0, t]]] {
            let ends = ends.map(|place| seen(embedded(place)));
            drawing.line(&ends, 1.0, mesh);
        }
    }
}

/// Lambert's cosine law for a light from above on the left, in `[0, 1]`.
fn brightness([a, b]: Place) -> f64 {
    // Normal of z = LIFT x y at x = 1 − 2a, y = 1 − 2b.
    let (x, y) = (1.0 - 2.0 * a, 1.0 - 2.0 * b);
    let normal = [-LIFT * y, -LIFT * x, 1.0];
    let light = [0.35, -0.45, 0.82];
    let length = normal.iter().map(|n| n * n).sum::<f64>().sqrt();
    let cosine: f64 = normal.iter().zip(light).map(|(n, l)| n * l).sum::<f64>() / length;
    cosine.clamp(0.0, 1.0)
}

/// The curves, those to frequent vertices below and fainter.
fn draw_curves(
    drawing: &mut Drawing,
    curves: &[Vec<Place>],
    weights: [f64; 4],
    seen: impl Fn(Place) -> Point,
) {
    let mut order = [0, 1, 2, 3];
    order.sort_by(|one, other| weights[*other].total_cmp(&weights[*one]));
    for vertex in order {
        let paint = Paint {
            colour: COLOURS[vertex],
            opacity: (0.14 / weights[vertex].sqrt()).clamp(0.2, 0.5) as f32,
        };
        for curve in curves.iter().filter(|curve| end(curve) == vertex) {
            let points = thinned(curve.iter().map(|place| seen(*place)));
            drawing.line(&points, 0.9, paint);
        }
    }
}

/// Points without those that are too close to the last to matter.
fn thinned(points: impl Iterator<Item = Point>) -> Vec<Point> {
    let points: Vec<Point> = points.collect();
    let mut kept: Vec<Point> = Vec::new();
    for (index, point) in points.iter().enumerate() {
        let far = kept
            .last()
            .is_none_or(|last| (point.0 - last.0).hypot(point.1 - last.1) > 2.0);
        if far || index + 1 == points.len() {
            kept.push(*point);
        }
    }
    kept
}

fn draw_square(drawing: &mut Drawing, curves: &[Vec<Place>], weights: [f64; 4]) {
    let (left, top) = SQUARE;
    let bottom = top + SIDE;
    drawing.text((left, 78.0), Anchor::Start, LABEL, "on the square W");
    let at = |[first, second]: Place| (left + first as f32 * SIDE, bottom - second as f32 * SIDE);
    drawing.rectangle((left, top), (SIDE, SIDE), [247, 248, 251]);
    for k in 1..MESH {
        let t = k as f64 / MESH as f64;
        drawing.line(&[at([t, 0.0]), at([t, 1.0])], 1.0, FAINT);
        drawing.line(&[at([0.0, t]), at([1.0, t])], 1.0, FAINT);
    }
    draw_curves(drawing, curves, weights, at);
    let start = Paint {
        colour: INK,
        opacity: 0.55,
    };
    for curve in curves {
        drawing.disc(at(curve[0]), 1.1, start);
    }
    let corners = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]];
    let outline = [[0.0, 0.0], [0.0, 1.0], [1.0, 1.0], [1.0, 0.0], [0.0, 0.0]].map(at);
    drawing.line(&outline, 1.8, INK);
    mark(drawing, at([0.5, 0.5]), Mark::Barycentre);
    for (index, corner) in corners.into_iter().enumerate() {
        let point = at(corner);
        drawing.disc(point, 7.5, PAPER);
        drawing.disc(point, 6.0, COLOURS[index]);
        let anchor = if corner[0] > 0.5 {
            Anchor::End
        } else {
            Anchor::Start
        };
        let y = if corner[1] > 0.5 {
            point.1 - 16.0
        } else {
            point.1 + 28.0
        };
        let text = format!("{}  {:.3}", OUTCOMES[index], weights[index]);
        drawing.text((point.0, y), anchor, NAME, &text);
    }
    let middle = left + SIDE / 2.0;
    drawing.text(
        (middle, bottom + 27.0),
        Anchor::Middle,
        LABEL,
        "P(first bit = 1)",
    );
    drawing.text(
        (middle, top - 15.0),
        Anchor::Middle,
        LABEL,
        "P(second bit = 1) upward",
    );
}

/// Points that are named in the legend.
#[derive(Clone, Copy)]
enum Mark {
    Target,
    Mixture,
    Barycentre,
}

fn mark(drawing: &mut Drawing, point: Point, which: Mark) {
    match which {
        Mark::Target => {
            drawing.disc(point, 8.5, PAPER);
            drawing.disc(point, 7.0, INK);
        }
        Mark::Mixture => {
            drawing.disc(point, 3.2, [240, 228, 66]);
        }
        Mark::Barycentre => {
            drawing.disc(point, 6.5, PAPER);
            drawing.disc(point, 5.0, GREY);
        }
    }
}

fn draw_legend(drawing: &mut Drawing) {
    let first = HEIGHT - 78.0;
    let mut left = 40.0;
    drawing.text((left, first), Anchor::Start, HEADING, "curves that end at");
    left += HEADING.width("curves that end at") + 20.0;
    for (outcome, colour) in OUTCOMES.iter().zip(COLOURS) {
        drawing.line(
            &[(left, first - 5.0), (left + 30.0, first - 5.0)],
            3.0,
            colour,
        );
        drawing.text((left + 38.0, first), Anchor::Start, LABEL, outcome);
        left += 38.0 + LABEL.width(outcome) + 24.0;
    }
    let second = HEIGHT - 40.0;
    let mut left = 40.0;
    let marks = [
        (Mark::Target, "target (0.45, 0.05, 0.05, 0.45)"),
        (Mark::Mixture, "the vertices' mean with the curves' weights"),
        (
            Mark::Barycentre,
            "barycentre: the factorising distribution with the target's marginals",
        ),
    ];
    for (which, text) in marks {
        if let Mark::Mixture = which {
            drawing.disc((left + 8.0, second - 5.0), 6.0, INK);
        }
        mark(drawing, (left + 8.0, second - 5.0), which);
        drawing.text((left + 24.0, second), Anchor::Start, LABEL, text);
        left += 24.0 + LABEL.width(text) + 28.0;
    }
}

/// The embedded surface `T(W)` in space.
///
/// Source: EG (6).
fn embedded([a, b]: Place) -> Space {
    mixture([(1.0 - a) * (1.0 - b), (1.0 - a) * b, a * (1.0 - b), a * b])
}

/// A joint distribution as the weighted mean of the vertices.
fn mixture(weights: [f64; 4]) -> Space {
    let mut point = [0.0; 3];
    for (weight, vertex) in weights.into_iter().zip(VERTICES) {
        for (own, coordinate) in point.iter_mut().zip(vertex) {
            *own += weight * coordinate;
        }
    }
    point
}

/// Parallel projection.
fn seen([x, y, z]: Space) -> Point {
    let across = -x * AZIMUTH.sin() + y * AZIMUTH.cos();
    let away = x * AZIMUTH.cos() + y * AZIMUTH.sin();
    let up = z * ELEVATION.cos() - away * ELEVATION.sin();
    (
        CENTRE.0 + (SCALE * across) as f32,
        CENTRE.1 - (SCALE * up) as f32,
    )
}

/// How near to the viewer a point is.
fn nearness([x, y, z]: Space) -> f64 {
    (x * AZIMUTH.cos() + y * AZIMUTH.sin()) * ELEVATION.cos() + z * ELEVATION.sin()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_corners_of_the_square_are_the_vertices_and_its_middle_the_centre() {
        let corners = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]];
        assert_eq!(corners.map(embedded), VERTICES);
        assert_eq!(embedded([0.5, 0.5]), [0.0; 3]);
        for [a, b] in [[0.2, 0.9], [0.7, 0.4]] {
            let [x, y, z] = embedded([a, b]);
            assert!((z - LIFT * x * y).abs() < 1e-12, "{z} at ({x}, {y})");
        }
    }
}
