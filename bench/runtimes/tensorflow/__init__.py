"""TensorFlow: Keras model files and SavedModels."""
