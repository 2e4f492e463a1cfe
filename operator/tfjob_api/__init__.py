"""The API tensorflow.org/v1alpha1: what a user writes into a TfJob, and reads from its status."""
