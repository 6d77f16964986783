"""Token counts against the library of those who published the tokenizers."""
import random
import subprocess

import pytest

from downloads import python_with, token_ranks
from harness import BINARY, ROOT

ENCODINGS = ["o200k_base", "cl100k_base"]

ENGLISH = "The gateway doesn't buffer: what it reads, it writes. They'LL see 3 of 12,345 requests (0.02 %) fail -- \"why?\""
GERMAN = "Übergrößenträger müssen außerdem Straßenverkehrszulassungsbehörden über Änderungen benachrichtigen."
CHINESE = "网关不会缓冲整个响应。它读到什么,就写出什么;2024年共有12345个请求失败了ABC。"
OTHERS = ["Шлюз не хранит ответы целиком, ЭТО видно.", "ゲートウェイは応答全体をバッファしません。", "게이트웨이는 응답을 버퍼링하지 않습니다.",
          "البوابة لا تخزن الرد ١٢٣٤", "गेटवे पूरे उत्तर को नहीं रखता।", "เกตเวย์ไม่เก็บคำตอบทั้งหมดไว้", "Η πύλη ΔΕΝ αποθηκεύει.",
          "ǅungla ʰªº ﬁ Ⅻ ½ e\u0301te\u0301 I\u0307 ſ it'ſ K"]
EMOJI = ["👩‍👩‍👧‍👦", "🏳️‍🌈", "👍🏽", "🇩🇪🇫🇷", "1️⃣", "❤️", "🤷🏾‍♂️ ok"]
CODE = ["if (x!=nullptr){\n\treturn a->b[i]+=0xFF;}\n\n\n", "def f(self, *args):\r\n    \"\"\"doc\"\"\"\r\n    return {'a': None}\r\n",
        "SELECT * FROM t WHERE id>=42;--x\n", "https://example.com/a/b?c=d&e=%20#f//\n//", '{"a":[1,2.5e-3,null],"b":"\\u00e9"}', "camelCaseHTTPServer2XML"]


def fixed_texts():
    yield from ["", "a", " ", "\n", "hello world", "tiktoken is great!", "<|endoftext|>", "'s", "don't I'LL we'Ve it's's"]
    yield from [ENGLISH, ENGLISH.upper(), GERMAN, CHINESE, *OTHERS, *EMOJI, " ".join(EMOJI), "".join(EMOJI) * 9, *CODE]
    yield from (a + b for a in [ENGLISH, CHINESE, GERMAN] for b in EMOJI + CODE)
    yield from ["".join(str(n * n) for n in range(99)), "1 22 333 4444 55555 3.14159 1,000,000", "٣٤٥٦½²Ⅻ"]
    white = [" ", "\t", "\r\n", "\n", "\u00a0", "\u3000", "\u0085", "\u2028"]
    yield from (w * n + tail for w in white for n in (1, 2, 7, 90) for tail in ("", "x", "\n", " y"))
    yield from ["a" * 15000, "ab" * 5000, "=" * 16000, "中文" * 2500, "ÄöÜ" * 1500, "x" * 95, "x" * 96, "x" * 97, "xyzzy" * 20]
    for file in ["src/net/session.cpp", "docs/configuration.md", "scripts/test", "tests/clients/node/package-lock.json", "README.md"]:
        yield (ROOT / file).read_text()


def random_texts():
    """The same in each run. Pieces of patterns next to each other, any characters, any bytes."""
    dice = random.Random(20240513)
    often = ["'s", "'LL", "'ſ", " ", "  ", "\n", "\r\n", "\t", "/", "!", "A", "b", "É", "é", "中", "\u0301", "ǅ", "ʰ", "7", "½", "\u3000", "😀", "\u200d"]
    for _ in range(150):
        yield "".join(dice.choice(often) for _ in range(dice.randrange(1, 60)))
    for _ in range(60):
        # The planes whose characters are older than any library in use.
        yield "".join(dice.choice([chr(dice.randrange(1, 0x250)), chr(dice.randrange(0x4E00, 0x9000))]) for _ in range(dice.randrange(1, 80)))
    for _ in range(60):
        yield dice.randbytes(dice.randrange(1, 200))
    for _ in range(30):
        cut = bytearray((CHINESE + GERMAN + EMOJI[0]).encode())
        del cut[dice.randrange(len(cut))]
        yield bytes(cut)


@pytest.fixture(scope="module")
def texts(tmp_path_factory):
    folder = tmp_path_factory.mktemp("texts")
    files = []
    for number, text in enumerate([*fixed_texts(), *random_texts()]):
        files.append(folder / f"{number:03}")
        files[-1].write_bytes(text if isinstance(text, bytes) else text.encode())
    return files


def count(*arguments, text=None):
    return subprocess.run([BINARY, "count-tokens", *map(str, arguments)], input=text or b"", capture_output=True, timeout=100)


@pytest.mark.timeout(1200)  # the first run downloads
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_counts_are_those_of_the_published_library(encoding, texts):
    ranks, python = token_ranks(), python_with("tests/clients/tokens/requirements.txt")
    done = count("--encoding", encoding, "--ranks", ranks, *texts)
    assert done.returncode == 0, done.stderr
    ours = [int(line.split()[0]) for line in done.stdout.decode().splitlines()]
    reference = subprocess.run([str(python), str(ROOT / "tests/clients/tokens/count.py"), str(ranks), encoding, *map(str, texts)],
                               stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=100)
    assert reference.returncode == 0, reference.stderr
    theirs = [int(line) for line in reference.stdout.splitlines()]
    assert len(theirs) == len(ours) == len(texts) >= 400
    differ = [(file.read_bytes()[:200], n, m) for file, n, m in zip(texts, ours, theirs) if n != m]
    assert not differ


@pytest.mark.timeout(1200)
def test_a_text_on_the_standard_input_is_counted():
    ranks = token_ranks()
    assert count("--ranks", ranks, text=b"hello world").stdout == b"2\n"
    assert count("--ranks", ranks).stdout == b"0\n"


def test_what_cannot_be_counted_is_said(tmp_path):
    done = count("--ranks", tmp_path)
    assert done.returncode == 1
    assert done.stderr == f"{tmp_path}/o200k_base.tiktoken: No such file or directory\n".encode()
    (tmp_path / "cl100k_base.tiktoken").write_text("IQ== 0\nIg== one\n")
    done = count("--encoding", "cl100k_base", "--ranks", tmp_path)
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr == f"{tmp_path}/cl100k_base.tiktoken: line 2: the rank is no number\n".encode()
    done = count("--encoding", "o300k", "--ranks", tmp_path)
    assert done.returncode == 1
    assert b'no encoding "o300k"' in done.stderr
