"""Unpacks what was packed as one frame of zstd, without believing the size that a damaged one declares."""

import zstandard

FrameDamaged = zstandard.ZstdError


def unpack(frame: bytes, bytes_max: int, unpacker: zstandard.ZstdDecompressor | None = None) -> bytes:
    """The content. Raises FrameDamaged, too where the frame tells no size or one above `bytes_max`.

    The library takes memory for as much as is declared before it looks at the rest: a flipped bit may ask for exabytes.
    """
    declared = zstandard.frame_content_size(frame)
    if not 0 <= declared <= bytes_max:
        raise FrameDamaged(f"a frame declares {declared} bytes; at most {bytes_max} are expected")
    return (unpacker or zstandard.ZstdDecompressor()).decompress(frame)
