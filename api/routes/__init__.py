"""Thin request handlers: parse, call one function, encode."""
