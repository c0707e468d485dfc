"""The test kit: examples, fakes and Hypothesis strategies for everybody who builds on the core."""
