// The nodes that sites define beforehand, where a submission uses and does not define them.
// --- ListNode
type ListNode struct {
	Val  int
	Next *ListNode
}
// --- TreeNode
type TreeNode struct {
	Val   int
	Left  *TreeNode
	Right *TreeNode
}
