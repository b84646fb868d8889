"""Which days and months are dirty, their recomputation, evidence and revisions."""
