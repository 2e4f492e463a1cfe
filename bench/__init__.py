"""What measures the figures that the READMEs state."""
