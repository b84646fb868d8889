"""HTTP: ingest, queries, operations, and the page for operators."""
