"""Write-ahead log, unsealed batches, ring, HDF5 segments: the durable home of every sample."""
