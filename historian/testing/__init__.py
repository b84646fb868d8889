"""For whoever writes an engine behind the seam: the perfect twin, and the suite every engine must pass."""
