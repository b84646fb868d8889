"""Values only: point, quality, unit, time stamp, time range, sample, and the ports between packages."""
