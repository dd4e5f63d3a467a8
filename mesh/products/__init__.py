"""What people ask about one product: who reads it, how it came to be, how to start a new one."""
