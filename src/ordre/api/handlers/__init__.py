"""What each operation does: from wire types to commands and queries, and back."""
