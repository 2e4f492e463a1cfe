"""The programs of a node, compiled from pinned sources."""
