// The nodes that sites define beforehand, where a submission uses and does not define them.
// --- ListNode
class ListNode(var `val`: Int) {
    var next: ListNode? = null
}
// --- TreeNode
class TreeNode(var `val`: Int) {
    var left: TreeNode? = null
    var right: TreeNode? = null
}
