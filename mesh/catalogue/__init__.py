"""What people ask about products: drawn pages, readers, history, drafts of contracts."""
