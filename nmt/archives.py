"""What is wrong with an archive of arrays that is cut off, changed or forged."""

import lzma
import tokenize
import zipfile
import zlib

BROKEN_ARCHIVE = (
    *(OSError, EOFError, ValueError, KeyError, TypeError, AttributeError, IndexError),
    *(RuntimeError, MemoryError, OverflowError, SyntaxError, tokenize.TokenError),
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError),
)
"""What reading arrays raises of a `.npz` that is cut off, changed or forged.

The head of an array is Python, which NumPy parses before zipfile checks the sum; and
with a byte changed an archive says that its members are compressed in other ways.
"""
