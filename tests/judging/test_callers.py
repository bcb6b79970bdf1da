"""What a source says about a function, and programs made of a submission and a harness."""

from __future__ import annotations

from typing import Any

import pytest

from scalebox.judging import callers, signatures

LEETCODE_JS = """/**
 * Definition for singly-linked list.
 * function ListNode(val, next) {}
 */
/**
 * @param {ListNode[]} lists
 * @return {ListNode}
 */
var f = function(lists) {
"""


@pytest.mark.parametrize(
    ("text", "shapes"),
    [
        (LEETCODE_JS, {"args": ["ListNode[]"], "result": "ListNode"}),
        ("function f(lists: Array<ListNode | null>, k: number): TreeNode | null {\n",
         {"args": ["ListNode[]", ""], "result": "TreeNode"}),
        ("const f = (root: TreeNode | null): number[] => {\n",
         {"args": ["TreeNode"], "result": ""}),
        ("function f(k: number, m: Map<string, number>): (TreeNode | null)[][] {\n",
         {"args": ["", ""], "result": "TreeNode[][]"}),
        ("# Definition\n# @param {TreeNode} root\n# @return {Integer[]}\ndef f(root)\nend",
         {"args": ["TreeNode"], "result": ""}),
        ("# @param {TreeNode} root\n# @return {Integer[]}\ndef g(root)\nend\n\ndef f(x)\nend", {}),
        ("class Solution {\n\n    /**\n     * @param ListNode $l1\n     * @param Integer $k\n"
         "     * @return ListNode\n     */\n    function f($l1, $k) {",
         {"args": ["ListNode", ""], "result": "ListNode"}),
        ("class Solution {\n  public function f(?ListNode $l1, int $k): ?ListNode {",
         {"args": ["ListNode", ""], "result": "ListNode"}),
        ("class Solution {\n  f(a, b) { return new TreeNode(a) }\n}", {}),
        ("/** @param {ListNode} x */\nexports.f = x => x", {"args": ["ListNode"], "result": ""}),
        ("/** @param {ListNode} x */\nmodule.exports = { f: async (x) => x }",
         {"args": ["ListNode"], "result": ""}),
        ("g.f(x);\n/** @return {ListNode} */\nlet f = (x) => x",
         {"args": [], "result": "ListNode"}),
        ("// f(x: TreeNode) is nice\nfunction g() {}\n", {}), ("", {}),
    ],
)  # fmt: skip
def test_nodes_are_known_by_comments_and_types(text: str, shapes: dict[str, Any]) -> None:
    assert signatures.node_shapes(text, "f") == shapes


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("int f(int x) { return x; }", True), ("class Solution { int f(int x); };", False),
        ("/* { */ int f() {}", True), ('char *s = "{"; int f() {}', True),
        ("char c = '{'; int f() {}", True), ("// f()\nint g() { return f(); }", False),
        ("int n = 1'000'000; int f() {}", True), ("fn f<'a>(x: &'a str) -> &'a str {}", True),
        ('auto s = R"(f() { )"; int ff() {}', False), ("int g() {} int f () {}", True),
    ],
)  # fmt: skip
def test_a_function_is_told_from_a_method(text: str, found: bool) -> None:
    assert signatures.is_at_top(signatures.code_of(text), "f") is found


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("()", []), ("(a: i32)", ["a: i32"]), ("(a: Vec<(i32, i32)>, b: &[u8],)",
                                               ["a: Vec<(i32, i32)>", "b: &[u8]"]),
        ("(g: fn(i32) -> i32, h: Map<a, b>)", ["g: fn(i32) -> i32", "h: Map<a, b>"]), ("(a", []),
    ],
)  # fmt: skip
def test_parameters_are_told_apart(text: str, parts: list[str]) -> None:
    assert signatures.parameters(text, 0)[0] == parts


def test_nodes_are_given_to_those_who_lack_them() -> None:
    assert signatures.nodes_lacking("ListNode *f(TreeNode *);") == ["ListNode", "TreeNode"]
    assert signatures.nodes_lacking("struct ListNode { int val; }; TreeNode *f();") == ["TreeNode"]
    assert signatures.nodes_lacking("struct ListNode; ListNode *f();") == ["ListNode"]
    assert signatures.nodes_lacking("int f();") == []


@pytest.mark.parametrize("harness", sorted(callers.HARNESSES))
def test_a_name_that_is_none_is_refused_and_no_line_is_moved(harness: str) -> None:
    for name in ("", "a b", "f()", "f;", "é", "1f", "a.b"):
        with pytest.raises(ValueError, match="no name"):
            callers.join(harness, b"", name)
    source = "\ufefffirst ListNode\nsecond\n".encode()
    joint = callers.join(harness, source, "f")
    lines = joint.source.decode().replace("\r", "").split("\n")
    if harness == "cpp":
        lines = lines[lines.index('#line 1 "solution.cpp"') + 1 :]
    assert "\ufeff" not in joint.source.decode()
    assert "first ListNode" in lines[0]
    assert lines[1] == "second"
    assert all(name in callers.files_taken(harness) for name in {**joint.files, **joint.beside})


def test_what_sites_import_is_imported_where_nothing_else_is() -> None:
    plain = callers.join("go", b"func f(xs []int) { sort.Ints(xs); list.Next() }", "f").source
    assert plain.startswith(b'package main; import ("sort"); func f')
    own = callers.join("go", b'package x\nimport "sort"\nfunc f(xs []int) {}', "f").source
    assert own == b'package main\nimport "sort"\nfunc f(xs []int) {}'
    local = callers.join("go", b"func f(a []int) int { sort := g(a); return sort.Len }", "f").source
    assert b"import" not in local
    java = callers.join("java", b"package a.b;\nclass A {}", "f").source
    assert java.startswith(b"package a.b; import java.util.*; ")
    for text, added in (
        (b"vector<int> f();", True),
        (b"#include <set>\nstd::set<int> f();", False),
    ):
        assert (b"\nusing namespace std;\n" in callers.join("cpp", text, "f").source) is added
