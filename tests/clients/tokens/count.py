"""count.py RANKS ENCODING FILE...: the number of tokens of each file, a line each, as the publisher's library has it."""
import base64
import codecs
import pathlib
import sys

import tiktoken
from tiktoken_ext import openai_public

ranks, encoding, *files = sys.argv[1:]


def read_ranks(*_, **__):
    """In place of a download: patterns and special tokens stay the library's own."""
    lines = pathlib.Path(ranks, f"{encoding}.tiktoken").read_text().splitlines()
    return {base64.b64decode(token): int(rank) for token, rank in map(str.split, lines)}


openai_public.load_tiktoken_bpe = read_ranks
# One U+FFFD for each bad byte, where Python's "replace" writes one for several.
codecs.register_error("each", lambda fault: ("\ufffd" * (fault.end - fault.start), fault.end))
reference = tiktoken.Encoding(**getattr(openai_public, encoding)())
for file in files:
    print(len(reference.encode_ordinary(pathlib.Path(file).read_bytes().decode("utf-8", "each"))))
