"""The citizen-data profile and its texts: data only, read by `cdmeta.profile`."""
