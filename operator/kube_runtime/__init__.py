"""What every operator needs: API calls, watches, a work queue, leader election. No TfJobs."""
