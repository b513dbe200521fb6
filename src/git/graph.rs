//! History as a graph in memory: who is whose parent, and when.
//!
//! Pure: a closure reads each commit once, every later question (ancestry, merge base, order) is
//! answered from here. No question trusts commit times for more than order, so skewed clocks never
//! make an ancestor a stranger. About 100 bytes a commit.
#![allow(
    clippy::indexing_slicing,
    reason = "indices are made here, point into vectors that never shrink below them"
)]

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use git2::Oid;

use super::object::Links;

/// A commit's place in the graph.
pub(super) type Index = usize;

/// A set of commits: a flag for each.
#[derive(Debug, Clone, Default)]
pub(super) struct Marks(Vec<bool>);

impl Marks {
    /// Whether the commit is in the set; commits loaded later than the set was made are not.
    pub(super) fn has(&self, index: Index) -> bool {
        self.0.get(index).copied().unwrap_or(false)
    }

    /// The commits of the set.
    pub(super) fn iter(&self) -> impl Iterator<Item = Index> {
        self.0.iter().enumerate().filter_map(|(index, marked)| marked.then_some(index))
    }
}

#[derive(Debug)]
struct Node {
    tree: Oid,
    time: i64,
    /// Where its parents stand in `edges`.
    parents: std::ops::Range<usize>,
}

/// Commits and their parents; whoever is in it has all ancestors in it.
#[derive(Debug, Default)]
pub(super) struct Graph {
    ids: Vec<Oid>,
    index: HashMap<Oid, Index>,
    nodes: Vec<Node>,
    edges: Vec<Index>,
}

impl Graph {
    /// Loads `tip` with all its ancestors, or nothing when `read` fails for one of them.
    pub(super) fn load<E>(
        &mut self,
        tip: Oid,
        mut read: impl FnMut(Oid) -> Result<Links, E>,
    ) -> Result<Index, E> {
        let (known, edges) = (self.nodes.len(), self.edges.len());
        let tip = self.discover(tip);
        while let Some(id) = self.ids.get(self.nodes.len()).copied() {
            let links = match read(id) {
                Ok(links) => links,
                Err(error) => {
                    for id in self.ids.drain(known..) {
                        self.index.remove(&id);
                    }
                    self.nodes.truncate(known);
                    self.edges.truncate(edges);
                    return Err(error);
                }
            };
            let start = self.edges.len();
            for parent in links.parents {
                let parent = self.discover(parent);
                self.edges.push(parent);
            }
            self.nodes.push(Node { tree: links.tree, time: links.time, parents: start..self.edges.len() });
        }
        Ok(tip)
    }

    fn discover(&mut self, id: Oid) -> Index {
        *self.index.entry(id).or_insert_with(|| {
            self.ids.push(id);
            self.ids.len() - 1
        })
    }

    /// Where a commit is, when it is here.
    pub(super) fn find(&self, id: Oid) -> Option<Index> {
        self.index.get(&id).copied()
    }

    /// The commit's id.
    pub(super) fn id(&self, index: Index) -> Oid {
        self.ids[index]
    }

    /// The commit's root tree.
    pub(super) fn tree(&self, index: Index) -> Oid {
        self.nodes[index].tree
    }

    /// The commit's parents, the first one first.
    pub(super) fn parents(&self, index: Index) -> &[Index] {
        &self.edges[self.nodes[index].parents.clone()]
    }

    /// These commits and all their ancestors.
    pub(super) fn reach(&self, tips: impl IntoIterator<Item = Index>) -> Marks {
        let mut marks = vec![false; self.nodes.len()];
        let mut open: Vec<Index> = tips.into_iter().collect();
        while let Some(index) = open.pop() {
            if !std::mem::replace(&mut marks[index], true) {
                open.extend_from_slice(self.parents(index));
            }
        }
        Marks(marks)
    }

    /// The newest of the best common ancestors, as `git merge-base` picks it.
    pub(super) fn merge_base(&self, one: &Marks, other: &Marks) -> Option<Index> {
        let common: Vec<Index> = one.iter().filter(|index| other.has(*index)).collect();
        let mut has_child = vec![false; self.nodes.len()];
        for index in &common {
            for parent in self.parents(*index) {
                has_child[*parent] = true;
            }
        }
        common
            .into_iter()
            .filter(|index| !has_child[*index])
            .max_by_key(|index| (self.nodes[*index].time, Reverse(self.ids[*index])))
    }

    /// The commits from `start` on, no parent before all of its children, else newest first.
    ///
    /// `next` says which parents of a commit to go on with, and is asked once for each.
    pub(super) fn ordered<E>(
        &self,
        start: Index,
        mut next: impl FnMut(Index) -> Result<Vec<Index>, E>,
    ) -> Result<Vec<Index>, E> {
        let mut followed: HashMap<Index, Vec<Index>> = HashMap::new();
        let mut children: HashMap<Index, usize> = HashMap::from([(start, 0)]);
        let mut open = vec![start];
        while let Some(index) = open.pop() {
            let parents = next(index)?;
            for parent in &parents {
                let count = children.entry(*parent).or_insert_with(|| {
                    open.push(*parent);
                    0
                });
                *count += 1;
            }
            followed.insert(index, parents);
        }
        let mut ready = BinaryHeap::from([self.rank(start, 0)]);
        let mut order = Vec::with_capacity(followed.len());
        while let Some((_, _, index)) = ready.pop() {
            order.push(index);
            for parent in followed.remove(&index).unwrap_or_default() {
                let left = children.entry(parent).or_default();
                *left = left.saturating_sub(1);
                if *left == 0 {
                    ready.push(self.rank(parent, order.len()));
                }
            }
        }
        Ok(order)
    }

    /// Newest first; of the same second, the one that was reached first.
    fn rank(&self, index: Index, reached: usize) -> (i64, Reverse<(usize, Oid)>, Index) {
        (self.nodes[index].time, Reverse((reached, self.ids[index])), index)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests may")]
    use proptest::prelude::*;

    use super::*;

    fn oid(number: usize) -> Oid {
        Oid::from_str(&format!("{:040x}", number + 1)).unwrap()
    }

    /// Commit n has the parents `parents[n]` (all below n) and the time `times[n]`.
    fn graph(parents: &[Vec<usize>], times: &[i64]) -> Graph {
        let mut graph = Graph::default();
        for number in 0..parents.len() {
            let read = |id: Oid| {
                let number = (0..parents.len()).find(|other| oid(*other) == id).ok_or(())?;
                let parents = parents[number].iter().map(|parent| oid(*parent)).collect();
                Ok::<_, ()>(Links { tree: oid(0), parents, time: times[number] })
            };
            graph.load(oid(number), read).unwrap();
        }
        graph
    }

    #[test]
    fn a_history_with_a_gap_is_not_loaded_at_all() {
        let mut graph = Graph::default();
        let read = |id: Oid| {
            if id == oid(0) {
                return Err("missing");
            }
            Ok(Links { tree: oid(9), parents: vec![oid(0)], time: 0 })
        };
        assert_eq!(graph.load(oid(1), read), Err("missing"));
        assert_eq!((graph.find(oid(1)), graph.find(oid(0))), (None, None));
        let whole = |id: Oid| Ok::<_, ()>(Links { tree: id, parents: vec![], time: 0 });
        assert_eq!(graph.load(oid(0), whole), Ok(0));
    }

    #[test]
    fn a_criss_cross_has_the_newer_merge_base() {
        // 0 ← 1, 0 ← 2; 3 and 4 both merge 1 and 2.
        let graph = graph(&[vec![], vec![0], vec![0], vec![1, 2], vec![2, 1]], &[0, 1, 2, 3, 4]);
        assert_eq!(graph.merge_base(&graph.reach([3]), &graph.reach([4])), Some(2));
        assert_eq!(graph.merge_base(&graph.reach([1]), &graph.reach([3])), Some(1));
    }

    fn histories() -> impl Strategy<Value = (Vec<Vec<usize>>, Vec<i64>)> {
        let node = (proptest::collection::vec(any::<prop::sample::Index>(), 0..3), 0..20_i64);
        proptest::collection::vec(node, 1..30).prop_map(|nodes| {
            let parents = nodes
                .iter()
                .enumerate()
                .map(|(at, (picks, _))| {
                    let mut picked: Vec<usize> =
                        picks.iter().filter(|_| at > 0).map(|pick| pick.index(at.max(1))).collect();
                    picked.sort_unstable();
                    picked.dedup();
                    picked
                })
                .collect();
            (parents, nodes.into_iter().map(|(_, time)| time).collect())
        })
    }

    proptest! {
        #[test]
        fn order_is_topological_whatever_the_clocks_say((parents, times) in histories()) {
            let graph = graph(&parents, &times);
            let start = parents.len() - 1;
            let order = graph.ordered(start, |index| Ok::<_, ()>(graph.parents(index).to_vec())).unwrap();
            let place = |index: Index| order.iter().position(|other| *other == index);
            prop_assert_eq!(order.len(), graph.reach([start]).iter().count());
            for index in &order {
                for parent in graph.parents(*index) {
                    prop_assert!(place(*index) < place(*parent));
                }
            }
        }

        #[test]
        fn reach_is_the_transitive_closure((parents, times) in histories()) {
            let graph = graph(&parents, &times);
            for tip in 0..parents.len() {
                let marks = graph.reach([tip]);
                for index in 0..parents.len() {
                    let expected = index == tip || graph.parents(tip).iter().any(|parent| graph.reach([*parent]).has(index));
                    prop_assert_eq!(marks.has(index), expected);
                }
            }
        }
    }
}
