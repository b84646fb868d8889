"""The operator's commands around a data folder: verify, backup, restore, export, inspect."""
