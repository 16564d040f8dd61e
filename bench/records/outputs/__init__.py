"""Outputs of a model for every task but classification, and true values, as they are in a Run."""
