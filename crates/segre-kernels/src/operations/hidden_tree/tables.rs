//! The tables of a tree of hidden states.

/// A distribution of the labels of some sites: every site has a hidden state, the states form a tree, and each emits its site's
/// label, `P(x) = Σ_z Π_i P(z_i | z_parent(i)) P(x_i | z_i)`.
#[derive(Clone, Debug, PartialEq)]
pub struct HiddenTree {
    pub(super) categories: usize,
    pub(super) states: usize,
    pub(super) parents: Vec<Option<usize>>,
    /// All sites, parents before their children.
    pub(super) order: Vec<usize>,
    /// `P(z | y)` for a state `y` of the parent, `[sites, y, z]`; a root's first row has its `P(z)`.
    pub(super) transitions: Vec<f32>,
    /// `P(label | z)`, `[sites, labels, z]`; 1 for padding.
    pub(super) emissions: Vec<f32>,
}

impl HiddenTree {
    /// The tree of its tables, `[sites, states of the parent, states]` and `[sites, categories, states]`; what sites with fewer
    /// categories have beyond is not heeded. All probabilities are above 0. None if a site is its own ancestor.
    ///
    /// # Panics
    /// If tables have other sizes.
    pub fn new(
        parents: Vec<Option<usize>>,
        states: usize,
        cardinalities: &[usize],
        transitions: Vec<f32>,
        mut emissions: Vec<f32>,
    ) -> Option<Self> {
        let (sites, order) = (parents.len(), parents_first(&parents)?);
        let categories = cardinalities.iter().copied().max().unwrap_or(0);
        assert_eq!(
            cardinalities.len(),
            sites,
            "a number of categories per site"
        );
        assert_eq!(transitions.len(), sites * states * states, "transitions");
        assert_eq!(emissions.len(), sites * categories * states, "emissions");
        for (table, own) in emissions.chunks_mut(categories * states).zip(cardinalities) {
            table[own * states..].fill(1.0);
        }
        Some(Self {
            categories,
            states,
            parents,
            order,
            transitions,
            emissions,
        })
    }

    /// The parent of every site, none for roots.
    pub fn parents(&self) -> &[Option<usize>] {
        &self.parents
    }

    /// Number of states of a site.
    pub fn states(&self) -> usize {
        self.states
    }

    /// `P(z | y)`, `[sites, states of the parent, states]`; a root's first row counts.
    pub fn transitions(&self) -> &[f32] {
        &self.transitions
    }

    /// `P(label | z)`, `[sites, categories, states]`; 1 for padding.
    pub fn emissions(&self) -> &[f32] {
        &self.emissions
    }

    pub(super) fn sites(&self) -> usize {
        self.parents.len()
    }

    /// The transitions to a site.
    pub(super) fn transition(&self, site: usize) -> &[f32] {
        let entries = self.states * self.states;
        &self.transitions[site * entries..][..entries]
    }

    /// What a site emits.
    pub(super) fn emission(&self, site: usize) -> &[f32] {
        let entries = self.categories * self.states;
        &self.emissions[site * entries..][..entries]
    }
}

/// All sites, parents before their children; none if there is a circle.
fn parents_first(parents: &[Option<usize>]) -> Option<Vec<usize>> {
    let mut children = vec![Vec::new(); parents.len()];
    let mut order = Vec::with_capacity(parents.len());
    for (site, parent) in parents.iter().enumerate() {
        match parent {
            Some(parent) => children.get_mut(*parent)?.push(site),
            None => order.push(site),
        }
    }
    let mut next = 0;
    while let Some(site) = order.get(next) {
        order.extend_from_slice(&children[*site]);
        next += 1;
    }
    (order.len() == parents.len()).then_some(order)
}
