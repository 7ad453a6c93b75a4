"""Runs the benchmarks."""
