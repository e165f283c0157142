"""The buckets: one small interface to the service below a store, over folders, S3, Azure, SFTP and fsspec."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitreg.lazy_modules import import_on_use

if TYPE_CHECKING:
    from gitreg.blobs.buckets import azure as azure
    from gitreg.blobs.buckets import azure_upload as azure_upload
    from gitreg.blobs.buckets import bucket as bucket
    from gitreg.blobs.buckets import errors as errors
    from gitreg.blobs.buckets import folder as folder
    from gitreg.blobs.buckets import fsspec_bucket as fsspec_bucket
    from gitreg.blobs.buckets import listing as listing
    from gitreg.blobs.buckets import s3 as s3
    from gitreg.blobs.buckets import s3_errors as s3_errors
    from gitreg.blobs.buckets import s3_signing as s3_signing
    from gitreg.blobs.buckets import s3_upload as s3_upload
    from gitreg.blobs.buckets import sftp as sftp
    from gitreg.blobs.buckets import sftp_connection as sftp_connection
    from gitreg.blobs.buckets import upload as upload
else:
    __getattr__ = import_on_use(__name__)
