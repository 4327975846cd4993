//! What every key of a recipe means, as its text says it: section, key, explanation.

/// Keys before the first section have the section "".
pub(super) const KEYS: [(&str, &str, &str); 33] = [
    (
        "",
        "seed",
        "Seed of everything random: same seed, same result.",
    ),
    (
        "training",
        "steps",
        "Number of steps. Training ends at the first limit that is set; a run limited by steps alone repeats exactly.",
    ),
    (
        "training",
        "time",
        "Wall time of training: \"90s\", \"10m\", \"1h\" or a number of seconds.",
    ),
    (
        "training",
        "batch_size",
        "Rows per step. By default about as many sites in a step for all data.",
    ),
    (
        "training",
        "learning_rate",
        "Largest learning rate of Adam (Kingma & Ba 2015); warm-up and cosine decay are applied.",
    ),
    (
        "training",
        "weight_decay",
        "Decoupled weight decay of matrices, per unit of learning rate (Loshchilov & Hutter 2019).",
    ),
    (
        "training",
        "conditional",
        "\"any\": half of the rows show some of their labels, so that all conditionals are learned too; or \"none\".",
    ),
    (
        "training",
        "flip",
        "Images: whether each is mirrored, left and right exchanged, with probability 1/2 in every step.",
    ),
    (
        "training",
        "precision",
        "UNet: factors of products in training, \"f32\" or \"bf16\" (needs AVX-512 BF16 or AMX); sums have 32 bits.",
    ),
    (
        "training",
        "validations",
        "Validations, spread over the budget; each also saves the run.",
    ),
    ("training", "validation_rows", "Most rows of a validation."),
    (
        "training",
        "patience",
        "Validations without improvement before training stops early.",
    ),
    (
        "model",
        "head",
        "What the network predicts: \"posterior\" of the labels, or velocity \"field\" (Boll et al. 2024).",
    ),
    (
        "model",
        "scanlines",
        "UNet: whether to start from what neighbouring pixels say along rows and columns, counted in the rows.",
    ),
    (
        "model",
        "trees",
        "Whether to start from the exact posterior of a tree of hidden states, learned from the rows in a minute.",
    ),
    (
        "path",
        "kind",
        "Probability path: \"infinite\", \"e-geodesic\", \"linear\", \"dirichlet\", \"great-circle\" or \"masked\".",
    ),
    (
        "path",
        "rate",
        "Infinite path, field head: growth of the root signal-to-noise ratio per unit of time (arXiv 2406.04527, (3.27)).",
    ),
    (
        "path",
        "time_shape",
        "Infinite path, field head: shape of the Gamma distribution of training times.",
    ),
    (
        "path",
        "time_rate",
        "Infinite path, field head: rate of the Gamma distribution of training times, per unit of time.",
    ),
    (
        "path",
        "end_time",
        "Infinite path, field head: time at which a flow ends and labels are read off.",
    ),
    (
        "network",
        "kind",
        "\"residual\", \"table\" (tables with numbers), \"unet\" (images), \"cnn\" (sequences), \"dense\" or \"linear\".",
    ),
    (
        "network",
        "hidden",
        "Residual, table, dense and cnn: width of hidden layers, channels of the cnn.",
    ),
    (
        "network",
        "blocks",
        "Residual, table and unet: residual blocks; of the unet, per resolution.",
    ),
    (
        "network",
        "components",
        "Residual: components of a mixture of products whose exact context is added, 0 for none.",
    ),
    (
        "network",
        "affinity",
        "Residual: whether 2 to 8 sites of one vocabulary may repeat each other's labels.",
    ),
    (
        "network",
        "dropout",
        "Residual, table and unet: probability with which a number is dropped in training.",
    ),
    (
        "network",
        "preset",
        "UNet: \"tiny\", \"mnist\" or \"cityscapes\", sizes that the keys below change one by one.",
    ),
    (
        "network",
        "channels",
        "UNet: channels at full resolution, an even number.",
    ),
    (
        "network",
        "multipliers",
        "UNet: channels of each resolution from fine to coarse, as multiples of channels.",
    ),
    (
        "network",
        "attention",
        "UNet: down-sampling rates (1, 2, 4, …) with attention; the coarsest blocks always have it.",
    ),
    (
        "network",
        "heads",
        "UNet: heads of an attention; they share the channels.",
    ),
    ("split", "validation", "Fraction of rows for validation."),
    (
        "split",
        "test",
        "Fraction of rows for the test, where it has no data of its own.",
    ),
];
