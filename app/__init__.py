"""The appliance: what a person types, what needs TensorFlow, and what prints and draws."""
