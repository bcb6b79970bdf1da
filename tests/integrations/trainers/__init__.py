"""What each trainer calls, called as that trainer does."""
