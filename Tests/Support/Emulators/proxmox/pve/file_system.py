"""The beginning of an ext4 file system: enough of its superblock to tell how large it is."""

import struct

START, MAGIC = 1024, 0xEF53


def write(path, size):
    """Makes the image say that its file system has `size` bytes."""
    block = 12 if size >= 512 << 20 else 10
    with open(path, "r+b") as file:
        for offset, form, value in ((4, "<I", size >> block), (24, "<I", block - 10), (56, "<H", MAGIC)):
            file.seek(START + offset)
            file.write(struct.pack(form, value))
