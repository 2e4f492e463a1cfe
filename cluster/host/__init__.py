"""The machine that the cluster runs on: what it has and lacks, root, other programs, locks."""
