"""Load curves, demand and energy: pure functions, arrays in, arrays out."""
