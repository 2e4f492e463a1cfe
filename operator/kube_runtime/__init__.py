"""What any operator needs of Kubernetes, and nothing of TfJobs: calls, watches, queue, lease."""
