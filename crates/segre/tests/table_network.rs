//! The network of tables: its two ways to the same logits, its loss, and what it refuses.

#![allow(clippy::unwrap_used)] // a failed test is what an unwrap is for here

mod common;

use burn::tensor::{Device, Tensor, TensorData};
use common::{device, rng};
use rand::RngExt;
use segre::flow::{FlowError, ModelConfig};
use segre::learning::parameters::{collect, replace};
use segre::network::{Dropout, NetworkConfig, SiteSpec, TableConfig, TableNetwork};
use segre::path::DiscretePath;
use segre_kernels::{Columns, Place};

const ROWS: usize = 9;

fn sites() -> SiteSpec {
    SiteSpec {
        cardinalities: vec![3, 40, 2, 7],
        ordinal: vec![false, true, true, true],
        shared: false,
        image: None,
    }
}

fn config() -> TableConfig {
    TableConfig {
        hidden: 24,
        blocks: 2,
        direct: 8,
        dropout: 0.0,
    }
}

/// A network all of whose values are random, also those that start at zero.
fn network(device: &Device) -> TableNetwork {
    let network = config().init(&sites(), &mut rng(1), device);
    let mut values = collect(&network);
    let mut rng = rng(2);
    for own in values.values_mut() {
        let noise = own.values.iter_mut();
        noise.for_each(|value| *value += rng.random_range(-0.2..0.2));
    }
    replace(network, &values).unwrap()
}

/// Labels of which about half are known, and the places of the others with their labels.
fn rows() -> (Vec<u16>, Vec<Option<u16>>, Vec<Place>, Vec<u16>) {
    let (mut rng, sites) = (rng(3), sites());
    let all: Vec<u16> = (0..ROWS)
        .flat_map(|_| sites.cardinalities.clone())
        .map(|own| rng.random_range(0..own) as u16)
        .collect();
    let known: Vec<Option<u16>> = all
        .iter()
        .map(|label| rng.random::<bool>().then_some(*label))
        .collect();
    let unknown = (0..all.len()).filter(|place| known[*place].is_none());
    let (places, targets) = unknown
        .map(|place| {
            let (row, column) = (place / sites.sites(), place % sites.sites());
            (Place { row, column }, all[place])
        })
        .unzip();
    (all, known, places, targets)
}

fn host<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_into_vec().unwrap()
}

#[test]
fn labels_have_the_logits_of_their_corners() {
    let (device, sites) = (device(), sites());
    let network = network(&device);
    let (all, known, places, _) = rows();
    let found = network.logits_at(&known, &places);
    let categories = sites.categories();
    let mut corners = vec![0.0_f32; all.len() * categories];
    for (place, label) in all.iter().enumerate() {
        corners[place * categories + usize::from(*label)] = 1.0;
    }
    let shape = [ROWS, sites.sites(), categories];
    let points = Tensor::from_data(TensorData::new(corners, shape), &device);
    let levels: Vec<f32> = known
        .iter()
        .map(|label| if label.is_some() { 9.0 } else { 0.0 })
        .collect();
    let levels = Tensor::from_data(TensorData::new(levels, [ROWS, sites.sites()]), &device);
    let dense = host(network.forward(points, levels, None));
    let mut rest = found.as_slice();
    for place in &places {
        let own = sites.cardinalities[place.column];
        let (logits, others) = rest.split_at(own);
        rest = others;
        let from = (place.row * sites.sites() + place.column) * categories;
        for (a, b) in logits.iter().zip(&dense[from..from + own]) {
            assert!((a - b).abs() < 1e-4, "{place:?}: {a} {b}");
        }
    }
    assert!(rest.is_empty());
}

#[test]
fn the_loss_is_the_cross_entropy_of_marginals_and_context_and_reaches_every_parameter() {
    let device = device().autodiff();
    let network = network(&device);
    let (_, known, places, targets) = rows();
    let columns = Columns::new(&sites().cardinalities);
    let logs: Vec<f32> = (0..columns.categories())
        .map(|k| (k as f32).sin())
        .collect();
    let losses = network.cross_entropies(
        &known,
        places.clone().into(),
        targets.clone().into(),
        logs.clone(),
        None,
    );
    let logits = network.logits_at(&known, &places);
    let mut first = 0;
    for ((place, target), loss) in places.iter().zip(&targets).zip(host(losses.clone())) {
        let own = columns.range(place.column);
        let context = &logits[first..first + own.len()];
        first += own.len();
        let sums = context.iter().zip(&logs[own]).map(|(a, b)| a + b);
        let total = sums.clone().map(f32::exp).sum::<f32>().ln();
        let expected = total - sums.collect::<Vec<_>>()[usize::from(*target)];
        assert!((loss - expected).abs() < 1e-4, "{loss} {expected}");
    }
    let gradients = burn::optim::GradientsParams::from_grads(losses.mean().backward(), &network);
    assert_eq!(gradients.len(), collect(&network).len());
}

#[test]
fn it_is_for_labels_that_are_known_or_not() {
    let table = ModelConfig {
        network: NetworkConfig::Table(config()),
        ..ModelConfig::default()
    };
    assert!(matches!(table.validate(), Err(FlowError::LabelsOnly)));
    let masked = ModelConfig {
        path: DiscretePath::Masked.into(),
        ..table
    };
    masked.validate().unwrap();
    let text = serde_json::to_string(&masked).unwrap();
    assert_eq!(serde_json::from_str::<ModelConfig>(&text).unwrap(), masked);
    let broken = text.replace("masked", "linear");
    assert!(serde_json::from_str::<ModelConfig>(&broken).is_err());
}

#[test]
fn settings_of_before_have_nothing_beside_the_blocks() {
    let text = r#"{"kind":"table","hidden":8,"blocks":1,"dropout":0.0}"#;
    let expected = TableConfig {
        hidden: 8,
        blocks: 1,
        direct: 0,
        dropout: 0.0,
    };
    let read: NetworkConfig = serde_json::from_str(text).unwrap();
    assert_eq!(read, NetworkConfig::Table(expected));
}

#[test]
fn dropout_follows_its_generator() {
    let device = device().autodiff();
    let config = TableConfig {
        dropout: 0.5,
        ..config()
    };
    let network = config.init(&sites(), &mut rng(1), &device);
    let network = {
        let mut values = collect(&network);
        let decoder = values.get_mut("decoder").unwrap();
        decoder
            .values
            .iter_mut()
            .enumerate()
            .for_each(|(k, v)| *v = (k as f32).cos());
        replace(network, &values).unwrap()
    };
    let (_, known, places, targets) = rows();
    let loss = |seed: Option<u64>| {
        let rows = 0..ROWS;
        let mut dropout = seed.map(|seed| Dropout::of_rows(&rng(seed), rows));
        let logs = vec![0.0; 52];
        let (places, targets) = (places.clone().into(), targets.clone().into());
        host(network.cross_entropies(&known, places, targets, logs, dropout.as_mut()))
    };
    assert_eq!(loss(None), loss(None));
    assert_eq!(loss(Some(1)), loss(Some(1)));
    assert_ne!(loss(Some(1)), loss(Some(2)));
    assert_ne!(loss(Some(1)), loss(None));
}
