//! Every operation at sizes that fill registers and that do not.

use super::attention;
use super::convolution::{processor as convolution, weight_gradient};
use super::group_norm::processor as group_norm;
use super::hidden_tree::{HiddenTree, marginals};
use super::mapped::{MappedText, TemporaryFile};
use super::propagation::{Propagation, beliefs};
use super::simd::Level;
use super::testing::{distance, numbers};

/// Largest difference between levels that round products once or twice.
const LIMIT: f32 = 1e-4;
/// The same of products of bfloat16.
const NARROW_LIMIT: f32 = 3e-2;

/// All levels but the plain one, and how far each may be from it.
fn levels() -> Vec<(Level, f32)> {
    let whole = Level::available().into_iter().map(|level| (level, LIMIT));
    let narrow = Level::available_narrow()
        .into_iter()
        .map(|level| (level, NARROW_LIMIT));
    whole.chain(narrow).collect()
}

/// Asserts that all levels compute the same.
fn agree(what: &str, levels: &[(Level, f32)], compute: impl Fn(Level) -> Vec<Vec<f32>>) {
    let expected = compute(Level::Plain);
    for (level, limit) in levels {
        for (found, expected) in compute(*level).iter().zip(&expected) {
            let distance = distance(found, expected);
            assert!(distance < *limit, "{what}, {level:?}: {distance}");
        }
    }
}

/// Without products of bfloat16.
fn wide() -> Vec<(Level, f32)> {
    Level::available()
        .into_iter()
        .map(|level| (level, LIMIT))
        .collect()
}

#[test]
fn attention_and_its_gradients() {
    for (heads, sites, width) in [(1, 1, 1), (2, 3, 5), (1, 17, 16), (2, 33, 7), (1, 61, 19)] {
        if cfg!(miri) && sites > 20 {
            continue;
        }
        let sizes = attention::Sizes {
            heads,
            sites,
            width,
        };
        let input = |seed| numbers(heads * sites * width, seed);
        let (query, key, value, gradient) = (input(1), input(2), input(3), input(4));
        agree(&format!("{sizes:?}"), &wide(), |level| {
            let inputs = [&query[..], &key, &value];
            let (output, logarithms) = attention::value(level, &sizes, inputs);
            let known = attention::Known {
                output: &output,
                logarithms: &logarithms,
            };
            let found = attention::gradients(level, &sizes, inputs, known, &gradient);
            [vec![output.clone(), logarithms.clone()], found.to_vec()].concat()
        });
    }
}

#[test]
fn convolution_and_its_gradients() {
    for (batch, height, width, inputs, outputs, kernel, stride) in [
        (1, 1, 1, 1, 1, 1, 1),
        (2, 3, 5, 3, 2, 3, 1),
        (1, 4, 7, 5, 17, 3, 2),
        (1, 6, 6, 33, 35, 3, 1),
        (1, 1, 40, 3, 4, 5, 1),
        (1, 9, 17, 16, 32, 1, 1),
        (1, 16, 32, 32, 64, 3, 1),
        (2, 8, 32, 64, 32, 3, 2),
    ] {
        if cfg!(miri) && height * width * inputs * outputs > 2000 {
            continue;
        }
        let sizes = convolution::Sizes {
            batch,
            height,
            width,
            inputs,
            outputs,
            kernel,
            stride,
        };
        let [down, across] = sizes.output();
        let images = numbers(batch * height * width * inputs, 1);
        let weight = numbers(kernel * kernel * inputs * outputs, 2);
        let bias = numbers(outputs, 3);
        let gradient = numbers(batch * down * across * outputs, 4);
        agree(&format!("{sizes:?}"), &levels(), |level| {
            vec![
                convolution::value(level, &sizes, &images, &weight, &bias),
                convolution::input_gradient(level, &sizes, &weight, &gradient),
                weight_gradient::weight_gradient(level, &sizes, &images, &gradient),
                weight_gradient::bias_gradient(outputs, &gradient),
            ]
        });
    }
}

#[test]
fn group_norm_and_its_gradients() {
    for (batch, sites, channels, groups) in
        [(1, 1, 2, 1), (2, 5, 6, 3), (1, 7, 32, 8), (1, 3, 50, 5)]
    {
        for activate in [false, true] {
            let sizes = group_norm::Sizes {
                batch,
                sites,
                channels,
                groups,
                activate,
            };
            let images = numbers(batch * sites * channels, 1);
            let (scale, shift) = (numbers(channels, 2), numbers(channels, 3));
            let gradient = numbers(images.len(), 4);
            agree(&format!("{sizes:?}"), &wide(), |level| {
                let (output, statistics) =
                    group_norm::value(level, &sizes, &images, &scale, &shift);
                let affine = [&scale[..], &shift];
                let found =
                    group_norm::gradients(level, &sizes, &images, affine, &statistics, &gradient);
                vec![
                    output,
                    statistics.mean,
                    found.images,
                    found.scale,
                    found.shift,
                ]
            });
        }
    }
}

/// Positive numbers whose sums over `states` neighbours are 1.
fn probabilities(count: usize, states: usize, seed: u64) -> Vec<f32> {
    let mut found: Vec<f32> = numbers(count, seed).iter().map(|x| 1.1 + x).collect();
    for own in found.chunks_mut(states) {
        let sum: f32 = own.iter().sum();
        own.iter_mut().for_each(|x| *x /= sum);
    }
    found
}

#[test]
fn trees_of_hidden_states() {
    for (states, cardinalities) in [(1, vec![2]), (3, vec![2, 4, 3]), (17, vec![2, 5, 2, 3, 5])] {
        let sites = cardinalities.len();
        let parents = (0..sites)
            .map(|site| (site > 0).then_some(site / 2))
            .collect();
        let categories = cardinalities.iter().copied().max().unwrap();
        let tree = HiddenTree::new(
            parents,
            states,
            &cardinalities,
            probabilities(sites * states * states, states, 1),
            probabilities(sites * categories * states, states, 2),
        );
        let tree = tree.unwrap();
        for rows in [1, 5, 37] {
            let mut local = numbers(rows * sites * categories, 3);
            for (site, own) in local.chunks_mut(categories).enumerate() {
                own[cardinalities[site % sites]..].fill(-200.0);
            }
            agree(&format!("{states} states"), &wide(), |level| {
                vec![marginals(level, &tree, &local)]
            });
            let rows: Vec<Vec<u16>> = (0..rows)
                .map(|row| cardinalities.iter().map(|c| (row % c) as u16).collect())
                .collect();
            let rows: Vec<&[u16]> = rows.iter().map(Vec::as_slice).collect();
            let (found, logs) = tree.expectations(&rows);
            let again = tree.log_likelihoods(&rows);
            assert!(logs.iter().zip(&again).all(|(a, b)| (a - b).abs() < 1e-4));
            let total: f64 = found.emissions.iter().sum();
            assert!(
                (total - (rows.len() * sites) as f64).abs() < 1e-2 * total,
                "{total}"
            );
        }
    }
}

#[test]
fn messages_between_pairs() {
    for (sites, categories) in [(2, 2), (4, 3), (5, 17)] {
        let pairs: Vec<([usize; 2], Vec<f32>)> = (1..sites)
            .map(|site| {
                (
                    [0, site],
                    probabilities(categories * categories, categories, site as u64),
                )
            })
            .collect();
        let pairs = Propagation::new([sites, categories], &pairs, 3, 0.2);
        for rows in [1, 7, 35] {
            let local = numbers(rows * sites * categories, 5);
            agree("messages", &wide(), |level| {
                vec![beliefs(level, &pairs, &local)]
            });
        }
    }
}

#[test]
#[cfg_attr(miri, ignore = "Miri maps no files")]
fn labels_in_a_file() {
    let mut file = TemporaryFile::new().unwrap();
    let labels: Vec<u16> = (0..5000).collect();
    labels
        .chunks(999)
        .for_each(|some| file.write(some).unwrap());
    let mut mapped = file.map::<u16>().unwrap();
    mapped.prefetch(100..4999);
    assert_eq!(mapped[..], labels);
    mapped.own().unwrap()[4999] = 7;
    assert_eq!(mapped[4999], 7);
    let empty = TemporaryFile::new().unwrap().map::<u16>();
    assert!(empty.is_err() || empty.unwrap().is_empty());
}

#[test]
#[cfg_attr(miri, ignore = "Miri maps no files")]
fn a_file_that_another_process_has_made() {
    let (mut file, path) = TemporaryFile::named().unwrap();
    let other = TemporaryFile::open(&path).unwrap();
    drop(path);
    file.write("ä, b\n".as_bytes()).unwrap();
    file.flush().unwrap();
    let mut seen = other.map::<u8>().unwrap();
    assert!(seen.own().is_none());
    let text = MappedText::try_from(seen).unwrap();
    assert_eq!(&*text, "ä, b\n");
    let mut damaged = file;
    damaged.write(&[0xff_u8]).unwrap();
    let bytes = MappedText::try_from(damaged.map::<u8>().unwrap());
    assert!(bytes.is_err_and(|bytes| bytes.last() == Some(&0xff)));
}
