"""Outputs of a model for every task except classification, and true values, as stored in a Run."""
