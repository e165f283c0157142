"""Where a store's objects lie: one small interface, over folders, S3, Azure, SFTP and what fsspec opens."""
