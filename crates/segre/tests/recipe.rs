//! What recipes choose for known data, and what they refuse.

use segre::data::Layout;
use segre::flow::{Head, PairwisePrior, PriorConfig};
use segre::network::NetworkConfig;
use segre::recipe::{Facts, NetworkKind, PathKind, Preset, Recipe, Settings};

fn facts(layout: Layout, sites: usize, categories: usize, rows: usize) -> Facts {
    Facts {
        layout,
        sites,
        categories,
        rows: Some(rows),
        classes: None,
        numbers: false,
        prior: None,
    }
}

fn with_numbers(facts: Facts) -> Facts {
    Facts {
        numbers: true,
        ..facts
    }
}

fn image(height: usize, width: usize, categories: usize, rows: usize) -> Facts {
    let layout = Layout::Image {
        height,
        width,
        pad_to: None,
    };
    facts(layout, height * width, categories, rows)
}

fn table(sites: usize, categories: usize, rows: usize) -> Facts {
    facts(Layout::Table, sites, categories, rows)
}

fn drawn(facts: Facts) -> Facts {
    Facts {
        rows: None,
        ..facts
    }
}

fn beliefs() -> Option<PairwisePrior> {
    Some(PairwisePrior {
        sites: vec![],
        pairs: vec![],
    })
}

/// The settings that depend on the data, in a line.
fn line(settings: &Settings) -> String {
    let Settings {
        model, training, ..
    } = settings;
    let network = match &model.network {
        NetworkConfig::Residual(config) => format!(
            "residual {}, {} blocks, {} components, affinity {}, dropout {}",
            config.hidden, config.blocks, config.components, config.affinity, config.dropout
        ),
        NetworkConfig::Unet(config) => format!(
            "unet {} × {:?}, {} blocks, attention {:?}, dropout {}",
            config.channels, config.multipliers, config.blocks, config.attention, config.dropout
        ),
        other => format!("{other:?}"),
    };
    format!(
        "{network}; batch {}, rate {}; {} s; validations {} of {} rows; conditional {}, scanlines {}",
        training.batch_size,
        training.optimizer.learning_rate,
        training.budget.seconds.unwrap_or_default(),
        training.validations,
        training.validation_rows,
        training.conditional,
        model.prior == PriorConfig::Scanlines
    )
}

/// The defaults were measured on these data: whoever changes a rule sees whose figures change.
#[test]
fn data_sets_have_the_settings_that_they_were_measured_with() {
    let array = |sites, categories| {
        let layout = Layout::Array { shape: vec![sites] };
        facts(layout, sites, categories, 400_000)
    };
    let sequence = facts(Layout::Sequence, 100, 21, 1500);
    #[rustfmt::skip]
    let cases = [
        ("mushroom", table(23, 12, 6500),
            "residual 128, 2 blocks, 128 components, affinity true, dropout 0.1; batch 356, rate 0.001; 90 s; validations 20 of 712 rows; conditional true, scanlines false"),
        ("nursery", table(9, 5, 10_368),
            "residual 128, 2 blocks, 20 components, affinity true, dropout 0.1; batch 512, rate 0.001; 90 s; validations 20 of 1820 rows; conditional true, scanlines false"),
        ("car", table(7, 4, 1383),
            "residual 256, 2 blocks, 0 components, affinity false, dropout 0.3; batch 512, rate 0.001; 90 s; validations 20 of 2340 rows; conditional true, scanlines false"),
        ("pinwheel", array(2, 91),
            "residual 64, 2 blocks, 128 components, affinity true, dropout 0; batch 512, rate 0.001; 90 s; validations 20 of 4096 rows; conditional false, scanlines false"),
        ("product:c=160,n=4", array(4, 160),
            "residual 64, 2 blocks, 102 components, affinity true, dropout 0; batch 512, rate 0.001; 90 s; validations 20 of 1638 rows; conditional false, scanlines false"),
        ("an alignment", sequence,
            "residual 512, 2 blocks, 0 components, affinity false, dropout 0.3; batch 128, rate 0.001; 90 s; validations 20 of 499 rows; conditional false, scanlines false"),
        ("digits", image(8, 8, 17, 1438),
            "residual 512, 2 blocks, 0 components, affinity false, dropout 0.3; batch 128, rate 0.001; 90 s; validations 20 of 512 rows; conditional false, scanlines false"),
        ("MNIST", image(28, 28, 256, 54_000),
            "unet 32 × [1, 2, 2, 2], 2 blocks, attention [16], dropout 0; batch 64, rate 0.001; 1800 s; validations 10 of 83 rows; conditional false, scanlines false"),
        ("MNIST in black and white", image(28, 28, 2, 54_000),
            "unet 32 × [1, 2, 2, 2], 2 blocks, attention [16], dropout 0; batch 64, rate 0.001; 1800 s; validations 10 of 83 rows; conditional false, scanlines true"),
        ("Cityscapes", image(128, 256, 8, 2678),
            "unet 64 × [1, 1, 2, 3, 4], 3 blocks, attention [32, 16, 8], dropout 0.1; batch 4, rate 0.0002; 1800 s; validations 10 of 16 rows; conditional false, scanlines true"),
        ("samples of ising:3x8", table(24, 2, 800_000).with_prior(beliefs()),
            "residual 512, 2 blocks, 0 components, affinity false, dropout 0; batch 341, rate 0.001; 90 s; validations 20 of 682 rows; conditional false, scanlines false"),
        ("ising:3x8 without data", drawn(image(3, 8, 2, 0)).with_prior(beliefs()),
            "residual 512, 2 blocks, 0 components, affinity false, dropout 0; batch 341, rate 0.001; 300 s; validations 20 of 682 rows; conditional false, scanlines false"),
        ("a grid with triples, without data", drawn(image(3, 8, 2, 0)),
            "residual 128, 2 blocks, 128 components, affinity true, dropout 0; batch 341, rate 0.001; 300 s; validations 20 of 682 rows; conditional false, scanlines false"),
        ("ising:24x24 without data", drawn(image(24, 24, 2, 0)).with_prior(beliefs()),
            "unet 32 × [1, 2, 2, 2], 2 blocks, attention [16], dropout 0; batch 64, rate 0.001; 300 s; validations 10 of 113 rows; conditional false, scanlines false"),
    ];
    for (name, facts, expected) in cases {
        let settings = Recipe::default().resolve(&facts).expect("all by default");
        assert_eq!(line(&settings), expected, "{name}");
        let masked = facts.rows.is_none() || facts.prior.is_some();
        let path = if masked { "masked" } else { "infinite" };
        assert_eq!(settings.model.path.name(), path, "{name}");
        assert_eq!(settings.split.validation, 0.1, "{name}");
        // What was resolved decides everything.
        let all = Recipe::resolved(&settings, &facts);
        let again = all.resolve(&facts).expect("decisions of its own");
        assert_eq!(again, settings, "{name}");
    }
}

#[test]
fn wide_tables_start_from_a_tree_unless_something_better_is_known_or_nothing_can_correct_it() {
    let prior = |recipe: &Recipe, facts: &Facts| recipe.resolve(facts).map(|own| own.model.prior);
    let default = Recipe::default();
    let plants = table(69, 2, 17_760);
    assert_eq!(prior(&default, &plants), Ok(PriorConfig::Trees));
    for other in [
        table(32, 2, 17_760),
        table(69, 2, 499),
        table(2000, 2, 17_760),
        image(8, 8, 17, 1438),
        facts(Layout::Sequence, 100, 21, 1500),
        with_numbers(table(69, 258, 17_760)),
        drawn(table(69, 2, 0)),
    ] {
        let found = prior(&default, &other);
        assert_eq!(found, Ok(PriorConfig::Marginals), "{other:?}");
    }
    let with_trees = |trees| {
        let mut recipe = Recipe::default();
        recipe.model.trees = Some(trees);
        recipe
    };
    let digits = image(8, 8, 17, 1438);
    assert_eq!(prior(&with_trees(true), &digits), Ok(PriorConfig::Trees));
    assert_eq!(
        prior(&with_trees(false), &plants),
        Ok(PriorConfig::Marginals)
    );
    let field = with_trees(true).head(Head::Field);
    let mut both = with_trees(true).network(NetworkKind::Unet);
    both.model.scanlines = Some(true);
    for (recipe, facts) in [
        (field, plants.clone()),
        (with_trees(true), drawn(table(69, 2, 0))),
        (with_trees(true), with_numbers(plants.clone())),
        (both, image(28, 28, 2, 54_000)),
    ] {
        let error = recipe.resolve(&facts).unwrap_err().to_string();
        assert!(error.contains("`trees`"), "{error}");
    }
}

#[test]
fn tables_with_numbers_are_learned_by_the_chain_rule_unless_a_field_is_asked_for() {
    let adult = with_numbers(table(15, 258, 24_130));
    let path = |head: Option<Head>| {
        let mut recipe = Recipe::default();
        recipe.model.head = head;
        recipe.resolve(&adult).unwrap().model.path.name()
    };
    assert_eq!(path(None), "masked");
    assert_ne!(path(Some(Head::Field)), "masked");
    let settings = Recipe::default().resolve(&adult).unwrap();
    assert!(matches!(settings.model.network, NetworkConfig::Table(_)));
    // Fifty times every row, whatever the time.
    assert_eq!(settings.training.budget.steps, Some(50 * 24_130 / 512));
    assert_eq!(settings.training.budget.seconds, Some(90.0));
    let words = Recipe::of_assignments(["network.kind=table"]).unwrap();
    let settings = words.resolve(&table(9, 5, 10_368)).unwrap();
    assert_eq!(settings.model.path.name(), "masked");
}

#[test]
fn what_is_decided_is_kept_and_decides_what_hangs_on_it() {
    let mut recipe = Recipe {
        seed: Some(7),
        ..Recipe::default()
    };
    recipe.training.steps = Some(10);
    recipe.training.batch_size = Some(8);
    recipe.network.kind = Some(NetworkKind::Unet);
    recipe.network.preset = Some(Preset::Cityscapes);
    recipe.network.channels = Some(16);
    recipe.path.kind = Some(PathKind::EGeodesic);
    let facts = image(28, 28, 2, 54_000).with_classes(Some(10));
    let settings = recipe.resolve(&facts).expect("a UNet of its own sizes");
    let NetworkConfig::Unet(unet) = &settings.model.network else {
        panic!("{:?}", settings.model.network);
    };
    assert_eq!(
        (unet.channels, unet.blocks, unet.classes),
        (16, 3, Some(10))
    );
    let training = &settings.training;
    assert_eq!((training.seed, settings.split.seed), (7, 7));
    // Few rows in a step go with a low learning rate; a number of steps takes the place of the time.
    assert_eq!(training.optimizer.learning_rate, 2e-4);
    assert_eq!(
        (training.budget.steps, training.budget.seconds),
        (Some(10), None)
    );
    // A field has neither a mixture nor scanlines.
    let mut field = Recipe::default();
    field.model.head = Some(Head::Field);
    let settings = field.resolve(&table(9, 5, 10_368)).expect("a field");
    let NetworkConfig::Residual(network) = &settings.model.network else {
        panic!("{:?}", settings.model.network);
    };
    assert_eq!((network.components, network.hidden), (0, 512));
    assert!(!settings.training.conditional);
    let settings = field.resolve(&image(28, 28, 2, 54_000)).expect("a field");
    assert_eq!(settings.model.prior, PriorConfig::Marginals);
}

#[test]
fn what_would_be_ignored_is_refused_with_what_it_is_for() {
    let maps = image(28, 28, 8, 54_000);
    let rows = table(9, 5, 10_368);
    let energy = drawn(image(3, 8, 2, 0)).with_prior(beliefs());
    let samples = table(24, 2, 800_000).with_prior(beliefs());
    let told = rows.clone().with_classes(Some(3));
    let known = maps.clone().with_prior(beliefs());
    // Of the data, decisions with the useless one last, what the message says of it.
    let cases = [
        (
            &rows,
            "network.preset=tiny",
            "`preset` is for `network = unet`",
        ),
        (
            &rows,
            "network.channels=8",
            "`channels` is for `network = unet`",
        ),
        (
            &rows,
            "network.multipliers=[1]",
            "`multipliers` is for `network = unet`",
        ),
        (
            &rows,
            "network.attention=[2]",
            "`attention` is for `network = unet`",
        ),
        (&rows, "network.heads=2", "`heads` is for `network = unet`"),
        (
            &rows,
            "model.scanlines=false",
            "`scanlines` is for `network = unet`",
        ),
        (
            &rows,
            "training.precision=f32",
            "`precision` is for `network = unet`",
        ),
        (&told, "seed=0", "`labels` is for `network = unet`"),
        (
            &maps,
            "model.head=field model.scanlines=true",
            "`scanlines` is for `head = posterior`",
        ),
        (
            &known,
            "model.scanlines=true",
            "`scanlines` is for a fit that does not start from",
        ),
        (
            &maps,
            "network.hidden=9",
            "`hidden` is for `network = residual`, table, dense or cnn",
        ),
        (
            &rows,
            "network.kind=linear network.hidden=9",
            "`hidden` is for `network = residual`",
        ),
        (
            &rows,
            "network.kind=linear network.blocks=2",
            "`blocks` is for `network = residual`, table or unet",
        ),
        (
            &rows,
            "network.kind=dense network.blocks=2",
            "`blocks` is for",
        ),
        (
            &rows,
            "network.kind=cnn network.blocks=2",
            "`blocks` is for",
        ),
        (
            &rows,
            "network.kind=dense network.dropout=0",
            "`dropout` is for `network = residual`, table or unet",
        ),
        (
            &rows,
            "network.kind=cnn network.components=0",
            "`components` is for `network = residual`",
        ),
        (
            &maps,
            "network.components=0",
            "`components` is for `network = residual`",
        ),
        (
            &maps,
            "network.affinity=true",
            "`affinity` is for `network = residual`",
        ),
        (
            &rows,
            "path.rate=0.5",
            "`rate` is for `path = infinite` with `head = field`",
        ),
        (&rows, "path.time_shape=1", "`time_shape` is for"),
        (&rows, "path.time_rate=1", "`time_rate` is for"),
        (&rows, "path.end_time=15", "`end_time` is for"),
        (&rows, "path.kind=masked path.rate=0.5", "`rate` is for"),
        (&samples, "path.rate=0.5", "`rate` is for"),
        (
            &rows,
            "model.head=field path.kind=e-geodesic path.end_time=1",
            "`end_time` is for",
        ),
        (
            &rows,
            "path.kind=masked training.conditional=none",
            "`conditional = none` is for another path",
        ),
        (
            &energy,
            "training.conditional=any",
            "`conditional` is for a fit to data",
        ),
        (
            &energy,
            "training.validations=3",
            "`validations` is for a fit to data",
        ),
        (
            &energy,
            "training.validation_rows=3",
            "`validation_rows` is for a fit to data",
        ),
        (
            &energy,
            "training.patience=3",
            "`patience` is for a fit to data",
        ),
        (
            &energy,
            "split.validation=0.2",
            "`validation` is for a fit to data",
        ),
        (&energy, "split.test=0.2", "`test` is for a fit to data"),
    ];
    for (facts, decided, expected) in cases {
        let recipe = Recipe::of_assignments(decided.split(' ')).expect(decided);
        let said = recipe.resolve(facts).expect_err(decided).to_string();
        assert!(said.starts_with(expected), "{decided}: {said}");
        assert!(said.contains("leave"), "{decided}: {said}");
    }
}

/// What is printed can be given back whole: what means nothing to the fit is left out of it.
#[test]
fn what_was_resolved_decides_the_same_whatever_is_chosen() {
    let mut accepted = 0;
    for facts in [
        table(9, 5, 10_368),
        with_numbers(table(15, 258, 24_130)),
        table(24, 2, 800_000).with_prior(beliefs()),
        image(28, 28, 2, 54_000),
        drawn(image(3, 8, 2, 0)),
        drawn(image(24, 24, 2, 0)).with_prior(beliefs()),
    ] {
        for network in ["residual", "table", "unet", "cnn", "dense", "linear"] {
            for path in [
                "infinite",
                "e-geodesic",
                "linear",
                "dirichlet",
                "great-circle",
                "masked",
            ] {
                for rest in [
                    "model.head=posterior",
                    "model.head=field",
                    "training.conditional=any",
                ] {
                    let decided = [
                        format!("network.kind={network}"),
                        format!("path.kind={path}"),
                        rest.to_owned(),
                    ];
                    let recipe = Recipe::of_assignments(&decided).expect("legal");
                    // Without data all conditionals are learned.
                    let Ok(settings) = recipe.resolve(&facts) else {
                        continue;
                    };
                    let all = Recipe::resolved(&settings, &facts);
                    let again = all.resolve(&facts);
                    assert_eq!(again.as_ref(), Ok(&settings), "{decided:?}");
                    accepted += 1;
                }
            }
        }
    }
    assert_eq!(accepted, 6 * 6 * 6 * 3 - 2 * 6 * 6);
}
