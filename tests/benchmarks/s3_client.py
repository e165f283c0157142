"""One transfer by another client of S3: ``s3_client.py CLIENT up|down BUCKET KEY PATH REPORT``.

Also ``s3_client.py make|empty BUCKET``, by boto3.
Runs in the client's own environment, without gitreg; credentials and endpoint come from the AWS variables. Writes the
seconds from making the client to the end of the transfer to REPORT; importing the client is not in them. 16 MiB a part
and four at once are what was fastest here for s3fs within 300 MB.
"""

import os
import sys
import time
from pathlib import Path

PART = 16 << 20
AT_ONCE = 4


def boto3(verb: str, bucket: str, key: str, path: str) -> float:
    """Give the seconds of the transfer manager as it is."""
    import boto3

    start = time.perf_counter()
    client = boto3.client("s3")
    if verb == "up":
        client.upload_file(path, bucket, key)
    else:
        client.download_file(bucket, key, path)
    return time.perf_counter() - start


def s3fs(verb: str, bucket: str, key: str, path: str) -> float:
    import s3fs

    start = time.perf_counter()
    files = s3fs.S3FileSystem(use_listings_cache=False, skip_instance_cache=True)
    move = files.put_file if verb == "up" else files.get_file
    move(
        *((path, f"{bucket}/{key}") if verb == "up" else (f"{bucket}/{key}", path)),
        chunksize=PART,
        max_concurrency=AT_ONCE,
    )
    return time.perf_counter() - start


def obstore(verb: str, bucket: str, key: str, path: str) -> float:
    import obstore
    from obstore.store import S3Store

    start = time.perf_counter()
    options = {"allow_http": True, "timeout": "300s"}
    store = S3Store(bucket, endpoint=os.environ["AWS_ENDPOINT_URL"], client_options=options)
    if verb == "up":
        obstore.put(store, key, Path(path), chunk_size=PART, max_concurrency=AT_ONCE)
    else:
        with open(path, "wb") as stream:
            stream.writelines(obstore.get(store, key).stream(min_chunk_size=PART // 4))
    return time.perf_counter() - start


def make(bucket: str) -> None:
    import boto3

    boto3.client("s3").create_bucket(Bucket=bucket)


def empty(bucket: str) -> None:
    import boto3

    for each in boto3.resource("s3").Bucket(bucket).objects.all():
        each.delete()


if __name__ == "__main__":
    what, *words = sys.argv[1:]
    if what in ("make", "empty"):
        {"make": make, "empty": empty}[what](*words)
    else:
        *words, report = words
        seconds = {"boto3": boto3, "s3fs": s3fs, "obstore": obstore}[what](*words)
        Path(report).write_text(str(seconds))
