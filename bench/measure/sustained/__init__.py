"""Sustained load: one configuration after the other, each without a pause, and cooling down between them."""
