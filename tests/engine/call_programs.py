"""Submissions whose functions the tests call, one of each kind in each language.

`ECHO` takes one value of each type and gives all of them back.  `NODES` turns a linked list round.
`LARGE` gives an integer back: whether it may be of any size (else of 127 bits), and the source.
`ORDINARY` prints and gives its number back, but raises for 1, ends the process for 3 and computes
without end for 5.
"""

from __future__ import annotations

from typing import Any

#: Something else for each parameter of `ECHO`.
UNLIKE: list[Any] = [
    5, 5, 0.5, True, "é", [-5, 4], [["\U0001f600", ""], ["/"]], {"é\"": [1, 2], "n": []}, None,
    [-2], [5, 4, 3],
]  # fmt: skip

ECHO = {
    "javascript": """
/**
 * @param {number} i
 * @param {number} l
 * @param {number} d
 * @param {boolean} b
 * @param {string} s
 * @param {number[]} xs
 * @param {string[][]} rows
 * @param {Object} m
 * @param {number|null} o
 * @param {ListNode} head
 * @param {TreeNode} root
 * @return {any[]}
 */
var f = function(i, l, d, b, s, xs, rows, m, o, head, root) {
    if (!(head instanceof ListNode && root instanceof TreeNode)) throw new Error("no nodes");
    return [i, l, d, b, s, xs, rows, m, o, head, root];
};
""",
    "java": """
class Solution {
    public Object[] f(
            int i, long l, double d, boolean b, String s, int[] xs, List<List<String>> rows,
            Map<String, List<Integer>> m, Integer o, ListNode head, TreeNode root) {
        return new Object[] {i, l, d, b, s, xs, rows, m, o, head, root};
    }
}
""",
    "cpp": """
class Solution {
public:
    tuple<int, long long, double, bool, string, vector<int>, vector<vector<string>>,
          map<string, vector<int>>, optional<int>, ListNode *, TreeNode *>
    f(int i, long long l, double d, bool b, const string &s, vector<int> &xs,
      vector<vector<string>> rows, map<string, vector<int>> m, optional<int> o, ListNode *head,
      TreeNode *root) {
        return {i, l, d, b, s, xs, rows, m, o, head, root};
    }
};
""",
    "go": """
func f(i int, l int64, d float64, b bool, s string, xs []int, rows [][]string,
    m map[string][]int, o *int, head *ListNode, root *TreeNode) []any {
    return []any{i, l, d, b, s, xs, rows, m, o, head, root}
}
""",
    "php": """
class Solution {
    /**
     * @param Integer $i
     * @param Integer $l
     * @param Float $d
     * @param Boolean $b
     * @param String $s
     * @param Integer[] $xs
     * @param String[][] $rows
     * @param array $m
     * @param Integer|null $o
     * @param ListNode $head
     * @param TreeNode $root
     * @return array
     */
    function f($i, int $l, float $d, bool $b, string $s, array $xs, $rows, $m, ?int $o,
               ListNode $head, TreeNode $root) {
        return [$i, $l, $d, $b, $s, $xs, $rows, $m, $o, $head, $root];
    }
}
""",
    "ruby": """
# @param {Integer} i
# @param {Integer} l
# @param {Float} d
# @param {Boolean} b
# @param {String} s
# @param {Integer[]} xs
# @param {String[][]} rows
# @param {Hash} m
# @param {Integer} o
# @param {ListNode} head
# @param {TreeNode} root
# @return {Object[]}
def f(i, l, d, b, s, xs, rows, m, o, head, root)
  raise 'no nodes' unless head.is_a?(ListNode) && root.is_a?(TreeNode)
  [i, l, d, b, s, xs, rows, m, o, head, root]
end
""",
    "rust": """
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

impl Solution {
    pub fn f(
        i: i32, l: i64, d: f64, b: bool, s: String, xs: &[i32], rows: Vec<Vec<String>>,
        m: HashMap<String, Vec<i32>>, o: Option<i32>, head: Option<Box<ListNode>>,
        root: Option<Rc<RefCell<TreeNode>>>,
    ) -> (
        i32, i64, f64, bool, String, &[i32], Vec<Vec<String>>, HashMap<String, Vec<i32>>,
        Option<i32>, Option<Box<ListNode>>, Option<Rc<RefCell<TreeNode>>>,
    ) {
        (i, l, d, b, s, xs, rows, m, o, head, root)
    }
}
""",
    "typescript": """
function f(
    i: number, l: number, d: number, b: boolean, s: string, xs: number[], rows: string[][],
    m: Record<string, number[]>, o: number | null, head: ListNode | null, root: TreeNode | null,
): any[] {
    if (!(head instanceof ListNode && root instanceof TreeNode)) throw new Error("no nodes");
    return [i, l, d, b, s, xs, rows, m, o, head, root];
}
""",
    "csharp": """
public class Solution {
    public object[] F() { return null; }
    public object[] f(
            int i, long l, double d, bool b, string s, int[] xs, IList<IList<string>> rows,
            Dictionary<string, List<int>> m, int? o, ListNode head, TreeNode root) {
        return new object[] {i, l, d, b, s, xs, rows, m, o, head, root};
    }
}
""",
    "kotlin": """
class Solution {
    fun f(
        i: Int, l: Long, d: Double, b: Boolean, s: String, xs: IntArray, rows: List<List<String>>,
        m: Map<String, MutableList<Int>>, o: Int?, head: ListNode?, root: TreeNode?,
    ): List<Any?> = listOf(i, l, d, b, s, xs, rows, m, o, head, root)
}
""",
}

NODES = {
    "javascript": """
/**
 * Definition for singly-linked list.
 * function ListNode(val, next) {
 *     this.val = (val===undefined ? 0 : val)
 *     this.next = (next===undefined ? null : next)
 * }
 */
/**
 * @param {ListNode} head
 * @return {ListNode}
 */
var f = function(head) {
    let before = null;
    while (head) [head.next, before, head] = [before, head, head.next];
    return before;
};
""",
    "java": """
/**
 * Definition for singly-linked list.
 * public class ListNode {
 *     int val;
 *     ListNode next;
 * }
 */
class Solution {
    public ListNode f(ListNode head) {
        ListNode before = null;
        while (head != null) {
            ListNode next = head.next;
            head.next = before;
            before = head;
            head = next;
        }
        return before;
    }
}
""",
    "cpp": """
#include <utility>
/** struct ListNode { int val; ListNode *next; }; */
class Solution {
public:
    ListNode *f(ListNode *head) {
        ListNode *before = nullptr;
        while (head) {
            ListNode *next = std::exchange(head->next, before);
            before = head;
            head = next;
        }
        return before;
    }
};
""",
    "go": """
package solution
/**
 * type ListNode struct {
 *     Val int
 *     Next *ListNode
 * }
 */
func f(head *ListNode) (before *ListNode) {
    for head != nil {
        head.Next, before, head = before, head, head.Next
    }
    return
}
""",
    "php": """<?php
function f(?ListNode $head): ?ListNode {
    $before = null;
    while ($head) {
        $next = $head->next;
        $head->next = $before;
        $before = $head;
        $head = $next;
    }
    return $before;
}
""",
    "ruby": """
# Definition for singly-linked list.
# class ListNode
#     attr_accessor :val, :next
# end
# @param {ListNode} head
# @return {ListNode}
def f(head)
  before = nil
  while head
    following = head.next
    head.next = before
    before, head = head, following
  end
  before
end
""",
    "rust": """
// pub struct ListNode { ... }
impl Solution {
    pub fn f(head: Option<Box<ListNode>>) -> Option<Box<ListNode>> {
        let (mut before, mut head) = (None, head);
        while let Some(mut node) = head {
            head = node.next.take();
            node.next = before;
            before = Some(node);
        }
        before
    }
}
""",
    "typescript": """
/**
 * class ListNode {
 *     val: number
 *     next: ListNode | null
 * }
 */
export function f(head: ListNode | null): ListNode | null {
    let before: ListNode | null = null;
    while (head) [head.next, before, head] = [before, head, head.next];
    return before;
}
""",
    "csharp": """
/**
 * Definition for singly-linked list.
 * public class ListNode {
 *     public int val;
 *     public ListNode next;
 * }
 */
public class Solution {
    public ListNode f(ListNode head) {
        ListNode before = null;
        while (head != null) {
            ListNode next = head.next;
            head.next = before;
            before = head;
            head = next;
        }
        return before;
    }
}
""",
    "kotlin": """
/**
 * Example:
 * class ListNode(var `val`: Int) { var next: ListNode? = null }
 */
class Solution {
    fun f(head: ListNode?): ListNode? {
        var before: ListNode? = null
        var at = head
        while (at != null) {
            val next = at.next
            at.next = before
            before = at
            at = next
        }
        return before
    }
}
""",
}

ORDINARY = {
    "javascript": """
class Solution {
    f(n) {
        console.log("printed " + n);
        if (n === 1) throw new TypeError("on purpose");
        if (n === 3) process.exit(0);
        if (n === 5) for (;;) n = n ? 0 : 1;
        return n;
    }
}
""",
    "java": """
public class Program {
    private static int calls = 0;
    static int f(int n) {
        System.out.println("printed " + n);
        if (n == 1) throw new IllegalStateException("on purpose");
        if (n == 3) System.exit(0);
        while (n == 5) calls++;
        return n;
    }
    public static void main(String[] args) { System.exit(1); }
}
""",
    "cpp": """
#include <cstdlib>
#include <iostream>
#include <stdexcept>
#define int long long
volatile int calls = 0;
int f(int n) {
    std::cout << "printed " << n << std::endl;
    if (n == 1) throw std::logic_error("on purpose");
    if (n == 3) std::exit(0);
    while (n == 5) calls = calls + 1;
    return n;
}
signed main() { return f(1); }
""",
    "go": """
package main

import (
    "fmt"
    "os"
)

type Solution struct{ calls int }

func (s *Solution) f(n int) int {
    s.calls++
    fmt.Println("printed", n)
    if n == 1 {
        panic("on purpose")
    }
    if n == 3 {
        os.Exit(0)
    }
    for n == 5 {
        s.calls++
    }
    return n + s.calls - 1
}

func main() { os.Exit(1) }
""",
    "php": """<?php
class Solution {
    private $calls = 0;
    function f($n) {
        echo "printed $n\\n";
        if ($n == 1) throw new DomainException('on purpose');
        if ($n == 3) exit(0);
        while ($n == 5) $this->calls = 1;
        return $n + $this->calls++;
    }
}
""",
    "ruby": """
class Solution
  def f(n)
    puts "printed #{n}"
    raise ArgumentError, 'on purpose' if n == 1
    ($stdout.flush; exit!(0)) if n == 3
    loop { @calls = 1 } if n == 5
    n
  end
end
""",
    "rust": """
use std::process;

fn f(n: i32) -> i32 {
    println!("printed {}", n);
    if n == 1 {
        panic!("on purpose");
    }
    if n == 3 {
        process::exit(0);
    }
    let mut calls = 0i32;
    while n == 5 {
        calls = calls.wrapping_add(std::hint::black_box(1));
    }
    n
}

fn main() {
    process::exit(f(1));
}
""",
    "typescript": """
class Solution {
    private calls: number = 0;

    f(n: number): number {
        console.log("printed " + n);
        if (n === 1) throw new RangeError("on purpose");
        if (n === 3) process.exit(0);
        while (n === 5) this.calls = n;
        return n + this.calls++;
    }
}
""",
    "csharp": """
using System;
class Program {
    static int calls = 0;
    static int f(int n) {
        Console.WriteLine("printed " + n);
        if (n == 1) throw new InvalidOperationException("on purpose");
        if (n == 3) Environment.Exit(0);
        while (n == 5) calls++;
        return n;
    }
    static void Main() { f(1); }
}
""",
    "kotlin": """
var calls = 0

fun f(n: Int): Int {
    println("printed $n")
    if (n == 1) error("on purpose")
    if (n == 3) System.exit(0)
    while (n == 5) calls++
    return n
}

fun main() { f(1) }
""",
}

#: What the message about the call that raises says.
RAISED = {
    "javascript": "TypeError: on purpose (candidate.js, line 5)",
    "java": "java.lang.IllegalStateException: on purpose (Program.java, line 6)",
    "cpp": "std::logic_error: on purpose",
    "csharp": "System.InvalidOperationException: on purpose",
    "kotlin": "java.lang.IllegalStateException: on purpose (Main.kt, line 6)",
    "rust": "panic: on purpose (main.rs, line 7)",
    "typescript": "RangeError: on purpose",
    "php": "DomainException: on purpose (candidate.php, line 6)",
    "ruby": "on purpose (ArgumentError) (candidate.rb, line 5)",
    "go": "panic: on purpose (solution.go, line 15)",
}

LARGE = {
    "javascript": (True, "const f = (n) => n;"),
    "typescript": (True, "const f = (n: bigint): bigint => n;"),
    "java": (True, "class A { static BigInteger f(BigInteger n) { return n; } }"),
    "cpp": (False, "__int128 f(const __int128 &n) { return n; }"),
    "go": (True, "func f(n *big.Int) *big.Int { return n.Add(n, big.NewInt(0)) }"),
    "rust": (False, "pub fn f(n: i128) -> i128 { n }"),
    "csharp": (True, "class A { BigInteger f(BigInteger n) { return n; } }"),
    "ruby": (True, "def f(n)\n  n\nend"),
}
