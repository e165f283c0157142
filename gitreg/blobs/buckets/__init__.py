"""The buckets: one small interface to the service below a store, over folders, S3, Azure, SFTP and fsspec."""
