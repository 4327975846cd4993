//! What long work is told by whoever watches it.

/// What an observer of a run wants next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Control {
    /// Go on.
    Continue,
    /// Call the observer's `save` now and go on.
    Save,
    /// Save and stop; the run can be resumed.
    Stop,
}
