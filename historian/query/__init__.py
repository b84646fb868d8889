"""The way out: plan, scan, resample; readers never write and never block writers."""
