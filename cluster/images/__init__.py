"""Container images without a registry: who builds them, and the archives that they become."""
