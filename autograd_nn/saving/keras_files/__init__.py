"""Genuine files of Keras 3, `.keras` and `.weights.h5`, read as data and written; needs h5py."""
