//! How long a run waits for the rate limits of a server in all.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How long all waiting for rate limits may take in one run, whichever edge and token waits.
#[derive(Debug)]
pub struct Budget {
    whole: Duration,
    /// What is left of it, in seconds.
    left: AtomicU64,
}

impl Budget {
    /// A budget of whole seconds.
    pub fn of(whole: Duration) -> Self {
        Self { whole, left: AtomicU64::new(whole.as_secs()) }
    }

    /// What it was at the beginning, in seconds.
    pub fn whole(&self) -> u64 {
        self.whole.as_secs()
    }

    /// Takes a wait out of what is left; none where that is not enough.
    pub fn take(&self, seconds: u64) -> Option<Duration> {
        let taken =
            self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(seconds));
        taken.is_ok().then(|| Duration::from_secs(seconds))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_spent_once() {
        let budget = Budget::of(Duration::from_secs(10));
        assert_eq!(budget.take(6), Some(Duration::from_secs(6)));
        assert_eq!((budget.take(5), budget.take(4)), (None, Some(Duration::from_secs(4))));
        assert_eq!((budget.take(1), Budget::of(Duration::ZERO).take(1)), (None, None));
    }
}
