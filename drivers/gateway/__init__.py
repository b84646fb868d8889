"""Files, staging tables and pulled interfaces as sources of samples."""
