"""The resumable upload of a big file to Azure in blocks, and copying on the server's side."""

from __future__ import annotations

import asyncio
from hashlib import sha256
from typing import Any

from gitreg.blobs.buckets.upload import PIECE, Upload

_MOST_BLOCKS = 50_000
_MIB = 1 << 20
_TOGETHER = 4


async def send(blob: Any, file: Upload) -> None:
    """Upload a file in blocks, and commit it once all blocks are there.

    A block's name holds the sha256 of its bytes, and Azure checks their MD5 on arrival. So a block of the same name
    that an earlier attempt left is not sent again.

    Parameters
    ----------
    blob:
        An `azure.storage.blob.aio.BlobClient`.
    """
    from azure.storage.blob import BlobBlock

    if file.size <= PIECE:
        await blob.upload_blob(file.whole(), overwrite=True)
        file.progress.advance(file.size)
        return
    uncommitted = await _uncommitted(blob)
    names: list[str] = []
    sending: set[asyncio.Task[None]] = set()

    async def put(name: str, data: bytes) -> None:
        if uncommitted.get(name) != len(data):
            await blob.stage_block(name, data, length=len(data), validate_content=True)
        file.progress.advance(len(data))

    try:
        # the same block length at every attempt, so that blocks of an earlier attempt can be reused
        pieces = file.pieces(max(PIECE, -(-file.size // _MOST_BLOCKS // _MIB) * _MIB))
        while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
            name = f"{piece[0]:06}-{await asyncio.to_thread(_digest, piece[1])}"
            names.append(name)
            sending.add(asyncio.create_task(put(name, piece[1])))
            if len(sending) >= _TOGETHER:
                done, sending = await asyncio.wait(sending, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
        for task in sending:
            await task
    finally:
        for task in sending:
            task.cancel()
        await asyncio.gather(*sending, return_exceptions=True)
    await blob.commit_block_list([BlobBlock(name) for name in names])


def _digest(data: bytes) -> str:
    return sha256(data).hexdigest()[:40]


async def _uncommitted(blob: Any) -> dict[str, int]:
    from azure.core.exceptions import ResourceNotFoundError

    try:
        _, blocks = await blob.get_block_list("uncommitted")
    except ResourceNotFoundError:
        return {}
    return {block.id: block.size for block in blocks}


async def copy(source: Any, target: Any) -> None:
    """Copy a blob on the server's side, and wait until the copy is complete."""
    from azure.core.exceptions import AzureError

    status = (await target.start_copy_from_url(source.url))["copy_status"]
    while status == "pending":
        await asyncio.sleep(0.2)
        status = (await target.get_blob_properties()).copy.status
    if status != "success":
        raise AzureError(f"Azure could not copy an object: {status}")
