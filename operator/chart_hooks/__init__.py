"""What the chart's hooks ask of the operator's image, which has no shell and no kubectl."""
