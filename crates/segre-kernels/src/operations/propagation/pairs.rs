//! Pairs of sites that send each other messages, and their tables.

/// Pairs of sites that send each other messages. Every site has as many slots for messages as the site with most
/// neighbours; what lies in empty ones says nothing.
#[derive(Debug)]
pub struct Propagation {
    pub(super) sites: usize,
    pub(super) categories: usize,
    /// Slots of a site.
    pub(super) slots: usize,
    /// `e^θ` over its largest entry, `[sites · slots, own label, sender's label]`; 1 for padding and in empty slots.
    pub(super) weights: Vec<f32>,
    /// The sender of each slot, and the slot at the sender with the message that goes the other way; an empty slot hears from its
    /// own site, with weights that forget it.
    pub(super) senders: Vec<usize>,
    pub(super) answers: Vec<usize>,
    pub(super) rounds: usize,
    /// Share of a message that stays in each round but the first.
    pub(super) damping: f32,
}

impl Propagation {
    /// The messages between some pairs of different sites, each with its `e^θ` over the largest entry, `[first site's label,
    /// second site's label]`, 1 for padding. They are sent in so many rounds; in each but the first a share of a message, the
    /// `damping`, stays.
    pub fn new(
        [sites, categories]: [usize; 2],
        pairs: &[([usize; 2], Vec<f32>)],
        rounds: usize,
        damping: f32,
    ) -> Self {
        let c = categories;
        let mut degrees = vec![0; sites];
        let mut places = Vec::with_capacity(pairs.len());
        for ([first, second], table) in pairs {
            assert!(first != second, "site {first} sends messages to itself");
            assert_eq!(table.len(), c * c, "a table of {c} by {c} categories");
            places.push([*first, *second].map(|site| {
                degrees[site] += 1;
                degrees[site] - 1
            }));
        }
        let slots = degrees.into_iter().max().unwrap_or(0);
        let mut propagation = Self {
            sites,
            categories,
            slots,
            weights: vec![1.0; sites * slots * c * c],
            senders: (0..sites * slots).map(|slot| slot / slots).collect(),
            answers: (0..sites * slots).collect(),
            rounds,
            damping,
        };
        for ((ends, table), places) in pairs.iter().zip(places) {
            let own = [0, 1].map(|end| ends[end] * slots + places[end]);
            for end in [0, 1] {
                propagation.senders[own[end]] = ends[1 - end];
                propagation.answers[own[end]] = own[1 - end];
                let weights = &mut propagation.weights[own[end] * c * c..][..c * c];
                for (k, weight) in weights.iter_mut().enumerate() {
                    *weight = table[if end == 0 { k } else { k % c * c + k / c }];
                }
            }
        }
        propagation
    }

    /// The slots that are not empty: receiver, slot, sender, answer.
    pub(super) fn messages(&self) -> impl Iterator<Item = [usize; 4]> {
        let slots = self.senders.iter().zip(&self.answers).enumerate();
        slots
            .map(|(slot, (sender, answer))| [slot / self.slots, slot, *sender, *answer])
            .filter(|[receiver, _, sender, _]| receiver != sender)
    }

    /// What stays of a message in a round, and what comes.
    pub(super) fn shares(&self, round: usize) -> (f32, f32) {
        match round {
            0 => (0.0, 1.0),
            _ => (self.damping, 1.0 - self.damping),
        }
    }

    /// `e^θ` of a slot, `[own label, sender's label]`.
    pub(super) fn table(&self, slot: usize) -> &[f32] {
        let entries = self.categories * self.categories;
        &self.weights[slot * entries..][..entries]
    }
}
