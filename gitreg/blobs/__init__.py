"""The blob store: content-addressed, deduplicated sets of files in a bucket, their manifests, and the local cache."""
