"""The one way in: validate, classify against what is stored, make durable, acknowledge."""
