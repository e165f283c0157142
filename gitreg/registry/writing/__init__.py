"""Writing: changes of files, turned into one commit that is tried again when another writer was faster."""
