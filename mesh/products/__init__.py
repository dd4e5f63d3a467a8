"""What people ask about one product: who reads it, how it came to be, and how to start a new one."""
