//! What is said of synthetic rows: plain data, each number beside those of a perfect and of a copying model.

use serde::Serialize;

/// How alike synthetic rows and training rows are, what they are good for, and whether they give training rows away.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct QualityReport {
    /// Rows that a model may have learned from.
    pub training_rows: usize,
    /// Rows that are judged.
    pub synthetic_rows: usize,
    /// Rows that no model has seen.
    pub held_out_rows: usize,
    /// Mean of column shapes and column pair trends.
    pub overall: Compared,
    /// Mean over columns of [`ColumnShape::score`].
    pub column_shapes: Compared,
    /// Mean of [`ColumnPair::score`] over the pairs that count.
    pub column_pair_trends: Compared,
    /// The same over all pairs.
    pub all_column_pairs: Compared,
    /// Whether a classifier tells synthetic rows from training rows.
    pub two_sample: TwoSample,
    /// How well a column is predicted after training on synthetic rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usefulness: Option<Usefulness>,
    /// Whether synthetic rows are nearer to training rows than new ones are.
    pub privacy: Privacy,
    /// What follows for copies of training rows.
    pub memorisation: Memorisation,
    /// The same in a sentence.
    pub verdict: String,
    /// Every column.
    pub columns: Vec<ColumnShape>,
    /// Every pair of columns.
    pub pairs: Vec<ColumnPair>,
}

/// A number beside those that two other models would get.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Compared {
    /// The number; `None` where it has no value.
    pub value: Option<f64>,
    /// Its standard error, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub std_error: Option<f64>,
    /// Of as many new rows of the truth.
    pub perfect: Option<f64>,
    /// Of as many training rows.
    pub copying: Option<f64>,
}

/// A measure of SDMetrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Measure {
    /// Of numbers and dates, `1 − max |F − G|`.
    #[serde(rename = "KSComplement")]
    KsComplement,
    /// Of categories, `1 − ½ Σ |p − q|`.
    #[serde(rename = "TVComplement")]
    TvComplement,
    /// Of two numbers, `1 − ½ |r − r'|`.
    CorrelationSimilarity,
    /// Of other pairs, `1 − ½ Σ |p − q|` of two contingency tables.
    ContingencySimilarity,
}

/// How alike the distributions of one column are.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ColumnShape {
    /// Name of the column.
    pub column: String,
    /// How it is measured.
    pub measure: Measure,
    /// 1 for the same distribution; `None` for a column without values.
    pub score: Option<f64>,
}

/// How alike the dependence of two columns is.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ColumnPair {
    /// Names of the columns.
    pub columns: [String; 2],
    /// How it is measured.
    pub measure: Measure,
    /// 1 for the same dependence; `None` where it has no value, as for a constant.
    pub score: Option<f64>,
    /// Pearson's correlation or Cramér's V of the training rows.
    pub real_strength: Option<f64>,
    /// The same of the synthetic rows.
    pub synthetic_strength: Option<f64>,
    /// Whether the pair counts: the correlation is beyond ½ or Cramér's V beyond 0.3.
    pub counts: bool,
}

/// A classifier two-sample test: gradient-boosted trees, cross-validated.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct TwoSample {
    /// `1 − 2 max(AUC − ½, 0)`, mean over folds: 1 if synthetic rows cannot be told from training rows, 0 if all can.
    pub score: Compared,
    /// The area under the ROC curve, mean over folds.
    pub auc: f64,
    /// Parts of the cross-validation.
    pub folds: usize,
    /// Rows of either kind.
    pub rows: usize,
}

/// Train on synthetic rows, test on real ones.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Usefulness {
    /// The column that is predicted.
    pub target: String,
    /// `AUC` of a category (of several: the mean of one against the rest), `R²` of a number.
    pub measure: &'static str,
    /// On held-out rows, after training on synthetic ones; a perfect and a copying model get what training rows give.
    pub synthetic: Compared,
    /// On held-out rows, after training on as many training rows.
    pub real: f64,
    /// Rows that are learned from.
    pub rows: usize,
}

/// Distances to the closest record, copies, and an attack on membership.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Privacy {
    /// Share of synthetic rows nearer to training rows than to as many held-out ones; ties count half.
    pub share_nearer_training: Compared,
    /// Share of rows that equal a training row.
    pub share_copies: Compared,
    /// AUC of an attack that takes rows near to a synthetic one for training rows.
    pub membership_auc: Compared,
    /// Synthetic rows whose distances are compared.
    pub compared_rows: usize,
    /// Training rows, and held-out ones, that they are compared with and that are attacked.
    pub reference_rows: usize,
}

/// Whether training rows are repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Memorisation {
    /// No measure is beyond that of new rows by more than four standard errors.
    None,
    /// Some measure is, by less than a quarter of the way to a copying model.
    Some,
    /// Some measure is, by a quarter of the way or more.
    Copies,
    /// New rows are copies of training rows as often as not, so that nothing can be told.
    Unknown,
}

impl Compared {
    /// How far a number is on the way from a perfect model to a copying one, where these differ and chance is no reason.
    fn way(&self) -> Option<f64> {
        /// Standard errors that are taken for chance.
        const CHANCE: f64 = 4.0;
        /// Smallest difference of both models by which they can be told apart.
        const LEAST: f64 = 0.02;
        let (value, perfect, copying) = (self.value?, self.perfect?, self.copying?);
        let apart = copying - perfect;
        let beyond = value - perfect > CHANCE * self.std_error.unwrap_or(0.0);
        (apart > LEAST).then(|| {
            if beyond {
                (value - perfect) / apart
            } else {
                0.0
            }
        })
    }
}

impl Privacy {
    /// What the three measures say together, and in a sentence.
    pub fn verdict(&self) -> (Memorisation, String) {
        /// Of the way to a copying model.
        const COPIES: f64 = 0.25;
        let ways = [
            self.share_copies,
            self.share_nearer_training,
            self.membership_auc,
        ]
        .map(|measure| measure.way());
        let farthest = ways.into_iter().flatten().reduce(f64::max);
        let percent = |share: Option<f64>| format!("{:.1} %", 100.0 * share.unwrap_or(f64::NAN));
        let facts = format!(
            "{} of the synthetic rows are training rows (of held-out rows: {}), and who sees them tells training rows from \
             new ones with an AUC of {:.3} (a coin: 0.5; copies: {:.3})",
            percent(self.share_copies.value),
            percent(self.share_copies.perfect),
            self.membership_auc.value.unwrap_or(f64::NAN),
            self.membership_auc.copying.unwrap_or(f64::NAN),
        );
        match farthest {
            None => (
                Memorisation::Unknown,
                "copies cannot be told: new rows are mostly equal to training rows, too".into(),
            ),
            Some(way) if way >= COPIES => (
                Memorisation::Copies,
                format!(
                    "THE SYNTHETIC ROWS REPEAT TRAINING ROWS, do not take them for new ones: {facts}"
                ),
            ),
            Some(way) if way > 0.0 => (
                Memorisation::Some,
                format!(
                    "the synthetic rows are nearer to training rows than new ones are, {:.0} % of the way to copies: {facts}",
                    100.0 * way
                ),
            ),
            Some(_) => (
                Memorisation::None,
                format!("no sign of copied training rows: {facts}"),
            ),
        }
    }
}
