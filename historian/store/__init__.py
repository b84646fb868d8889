"""Write-ahead log, ring, late buffer, HDF5 segments: the durable home of every sample."""
