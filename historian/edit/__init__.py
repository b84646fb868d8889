"""Corrections by hand: what would change, which figures would move, and then through the one way in."""
