// The nodes that sites define beforehand, where a submission uses and does not define them, and how
// they come in and go out.
// --- ListNode
#[derive(PartialEq, Eq, Clone, Debug)]
pub struct ListNode {
    pub val: i32,
    pub next: Option<Box<ListNode>>,
}

impl ListNode {
    #[inline]
    pub fn new(val: i32) -> Self {
        ListNode { next: None, val }
    }
}
// --- TreeNode
#[derive(Debug, PartialEq, Eq)]
pub struct TreeNode {
    pub val: i32,
    pub left: Option<std::rc::Rc<std::cell::RefCell<TreeNode>>>,
    pub right: Option<std::rc::Rc<std::cell::RefCell<TreeNode>>>,
}

impl TreeNode {
    #[inline]
    pub fn new(val: i32) -> Self {
        TreeNode { val, left: None, right: None }
    }
}
// --- ListNode values
mod scalebox_list {
    use super::scalebox_call::{items, note, put_items, Put, Take, Tree};
    use super::ListNode;

    impl Take for ListNode {
        fn take(tree: &Tree) -> Result<Self, String> {
            let mut head: Option<Box<ListNode>> = None;
            for item in items(tree)?.iter().rev() {
                head = Some(Box::new(ListNode { val: Take::take(item)?, next: head }));
            }
            head.map(|first| *first).ok_or_else(|| "a list of no nodes".to_string())
        }

        fn is_absent(tree: &Tree) -> bool {
            items(tree).map_or(false, |values| values.is_empty())
        }
    }

    impl Put for ListNode {
        fn put(&self, out: &mut String, depth: usize) -> Result<(), String> {
            let mut values = Vec::new();
            let mut node = Some(self);
            while let Some(at) = node {
                note(&mut values, at.val.clone())?;
                node = at.next.as_deref();
            }
            put_items(values.iter(), out, depth)
        }

        fn put_none(out: &mut String) {
            out.push_str("[]");
        }
    }
}
// --- TreeNode values
mod scalebox_tree {
    use super::scalebox_call::{items, note, put_items, Put, Take, Tree};
    use super::TreeNode;
    use std::cell::RefCell;
    use std::collections::VecDeque;
    use std::rc::Rc;

    impl Take for Rc<RefCell<TreeNode>> {
        fn take(tree: &Tree) -> Result<Self, String> {
            let mut nodes: Vec<Self> = Vec::new();
            for (at, item) in items(tree)?.iter().enumerate() {
                if at > 0 && (at - 1) / 2 >= nodes.len() {
                    return Err("a tree with values below no node".to_string());
                }
                if matches!(item, Tree::None) {
                    continue;
                }
                let made = TreeNode { val: Take::take(item)?, left: None, right: None };
                let made = Rc::new(RefCell::new(made));
                if at > 0 {
                    let mut above = nodes[(at - 1) / 2].borrow_mut();
                    let side = if at % 2 == 1 { &mut above.left } else { &mut above.right };
                    *side = Some(made.clone());
                }
                nodes.push(made);
            }
            nodes.into_iter().next().ok_or_else(|| "a tree of no nodes".to_string())
        }

        fn is_absent(tree: &Tree) -> bool {
            items(tree).map_or(false, |values| matches!(values, [] | [Tree::None]))
        }
    }

    impl Put for TreeNode {
        fn put(&self, out: &mut String, depth: usize) -> Result<(), String> {
            let mut values = vec![Some(self.val.clone())];
            let mut waiting: VecDeque<Option<Rc<RefCell<TreeNode>>>> = VecDeque::new();
            waiting.push_back(self.left.clone());
            waiting.push_back(self.right.clone());
            let mut end = 1;
            while let Some(next) = waiting.pop_front() {
                match next {
                    None => note(&mut values, None)?,
                    Some(node) => {
                        let node = node.borrow();
                        note(&mut values, Some(node.val.clone()))?;
                        end = values.len();
                        waiting.push_back(node.left.clone());
                        waiting.push_back(node.right.clone());
                    }
                }
            }
            // Of what is missing only what has something after it is told.
            values.truncate(end);
            put_items(values.iter(), out, depth)
        }

        fn put_none(out: &mut String) {
            out.push_str("[]");
        }
    }
}
