"""Realtime sessions: WebSockets to a model, whose events the gateway reads as they pass."""
import base64
import hashlib
import json
import os
import signal
import socket
import struct
import threading
import time

import pytest

from harness import api_stages, make_config
from upstream import FIN, RST
from wire import Connection, Truncated

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
DONE = {"type": "response.done", "response": {"status": "completed", "usage": {
    "total_tokens": 30, "input_tokens": 20, "output_tokens": 10, "input_token_details": {"cached_tokens": 5}}}}


def frame(data, opcode=TEXT, final=True, mask=True):
    data = data if isinstance(data, bytes) else (data if isinstance(data, str) else json.dumps(data)).encode()
    size = len(data)
    head = bytes([0x80 * final | opcode])
    bit = 0x80 * mask
    head += bytes([bit | size]) if size < 126 else bytes([bit | 126]) + struct.pack(">H", size) if size < 65536 else bytes([bit | 127]) + struct.pack(">Q", size)
    if not mask:
        return head + data
    key = os.urandom(4)
    pad = (key * (size // 4 + 1))[:size]
    return head + key + (int.from_bytes(data, "big") ^ int.from_bytes(pad, "big")).to_bytes(size, "big")


def take_frame(take):
    """final, opcode, payload; `take` reads that many bytes."""
    first, second = take(2)
    size = second & 0x7F
    if size == 126:
        (size,) = struct.unpack(">H", take(2))
    elif size == 127:
        (size,) = struct.unpack(">Q", take(8))
    key = take(4) if second & 0x80 else None
    data = take(size)
    if key:
        data = bytes(b ^ key[i % 4] for i, b in enumerate(data)) if size < 100000 else data
    return bool(first & 0x80), first & 15, data


class Model:
    """An upstream that speaks WebSocket: it plays a script for each session and keeps what it received."""

    def __init__(self, *script, headers=(), reads=None):
        self.script, self.extra, self.reads = script, headers, reads
        self.received, self.heads = [], []
        self.changed = threading.Condition()
        self.ended = threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        stream = connection.makefile("rb")
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += stream.read(1)
        fields = dict((n.lower(), v.strip()) for n, v in (f.split(":", 1) for f in head.decode().split("\r\n")[1:] if f))
        self.heads.append(fields)
        accept = base64.b64encode(hashlib.sha1((fields["sec-websocket-key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()).decode()
        answer = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade", f"Sec-WebSocket-Accept: {accept}", *self.extra]
        connection.sendall(("\r\n".join(answer) + "\r\n\r\n").encode())
        threading.Thread(target=self._read, args=(stream,), daemon=True).start()
        try:
            for step in self.script:
                if step == RST:
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    stream.close()
                    connection.close()
                    return
                if step == FIN:
                    connection.shutdown(socket.SHUT_WR)
                elif callable(step):
                    step(self)
                else:
                    connection.sendall(step if isinstance(step, bytes) else frame(step, mask=False))
        except OSError:
            pass

    def _read(self, stream):
        def take(size):
            data = stream.read(size)
            if len(data) < size:
                raise EOFError
            return data
        try:
            while len(self.received) != self.reads:  # who still reads a socket keeps it open
                got = take_frame(take)
                with self.changed:
                    self.received.append(got)
                    self.changed.notify_all()
        except (EOFError, OSError, ValueError):
            with self.changed:
                self.ended.set()
                self.changed.notify_all()

    def wait_frames(self, count, within=20):
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.received) >= count, within), self.received

    def close(self):
        self.listener.close()


def after(count):
    """A step of the script: goes on once that many frames came from the client."""
    return lambda model: model.wait_frames(count)


def until_the_end(model):
    """A step of the script: says nothing more, and goes when the gateway goes."""
    model.ended.wait(30)


class Session:
    def __init__(self, port, path="/v1/realtime?model=m", headers=None, **options):
        self.connection = Connection(port, **options)
        key = base64.b64encode(os.urandom(16)).decode()
        fields = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": key, **(headers or {})}
        self.response = self.connection.request("GET", path, headers=fields).response("GET")

    def send(self, *args, **kwargs):
        self.connection.send(frame(*args, **kwargs))

    def receive(self):
        return take_frame(self.connection.take)

    def event(self):
        final, opcode, data = self.receive()
        assert final and opcode == TEXT, (final, opcode, data)
        return json.loads(data)

    def closed_with(self):
        """The code of the Close, which is all that comes."""
        final, opcode, data = self.receive()
        assert final and opcode == CLOSE, (final, opcode, data)
        return struct.unpack(">H", data[:2])[0]


@pytest.fixture
def model():
    started = []

    def start(*script, **options):
        started.append(Model(*script, **options))
        return started[-1]

    yield start
    for one in started:
        one.close()


@pytest.fixture
def serve(gateway):
    def start(upstream, before=(), listener=None, **changes):
        config = make_config(upstream, **changes)
        config["routes"][0]["stages"] = api_stages(relay={"upgrade": True}, before=before)
        config["listeners"][0].update(listener or {})
        return gateway(config)
    return start


def close_frame(code, reason=b"", mask=False):
    return frame(struct.pack(">H", code) + reason, CLOSE, mask=mask)


def test_what_the_responses_used_is_counted_once_each(model, serve):
    m = model({"type": "session.created"}, after(1), {"type": "response.created"}, DONE, after(2), DONE, after(3), close_frame(1000), FIN)
    g = serve(m)
    s = Session(g.port)
    assert s.response.status == 101
    assert s.event()["type"] == "session.created"
    s.send({"type": "response.create"})
    assert [s.event()["type"], s.event()["type"]] == ["response.created", "response.done"]
    s.send({"type": "response.create"})
    assert s.event() == DONE
    s.send(struct.pack(">H", 1000), CLOSE)
    assert s.closed_with() == 1000
    s.connection.close()
    line = g.access_log(1)[0]
    assert (line["input_tokens"], line["output_tokens"], line["status"]) == (40, 20, 101), line
    assert g.metric("gen_ai_client_token_usage_sum", gen_ai_token_type="input") == 40
    assert g.metric("gen_ai_client_token_usage_sum", gen_ai_token_type="output") == 20


def test_the_handshake_passes_but_for_the_key_and_compression(model, serve):
    m = model({"type": "session.created"}, headers=["Sec-WebSocket-Protocol: realtime"])
    g = serve(m)
    s = Session(g.port, headers={"OpenAI-Beta": "realtime=v1", "Sec-WebSocket-Extensions": "permessage-deflate",
                                 "Sec-WebSocket-Protocol": "realtime, openai-insecure-api-key.sk-test, openai-beta.realtime-v1"})
    assert s.response.header("sec-websocket-protocol") == "realtime"
    seen = m.heads[0]
    assert seen["openai-beta"] == "realtime=v1"
    assert seen["sec-websocket-protocol"] == "realtime, openai-beta.realtime-v1"
    assert seen["authorization"] == "Bearer sk-upstream"
    assert "sec-websocket-extensions" not in seen
    assert "sk-test" not in str(seen)
    s.connection.close()


def test_fragments_pings_and_codes_pass_as_they_came(model, serve):
    m = model(frame("hel", TEXT, False, False), frame(b"still there", PING, mask=False), frame("lo", 0, mask=False),
              frame(b"\0\1", BINARY, mask=False), after(3), close_frame(4321, b"enough"), FIN)
    g = serve(m)
    s = Session(g.port)
    assert [s.receive() for _ in range(4)] == [(False, TEXT, b"hel"), (True, PING, b"still there"), (True, 0, b"lo"), (True, BINARY, b"\0\1")]
    s.send(b"still there", PONG)
    s.send("a", TEXT, False)
    s.send("b", 0)
    m.wait_frames(3)
    assert m.received == [(True, PONG, b"still there"), (False, TEXT, b"a"), (True, 0, b"b")]
    assert s.receive() == (True, CLOSE, struct.pack(">H", 4321) + b"enough")
    s.send(struct.pack(">H", 4321), CLOSE)
    m.wait_frames(4)
    s.connection.close()


def test_a_big_message_passes_to_a_slow_reader_at_its_pace(model, serve):
    audio = {"type": "response.audio.delta", "delta": "x" * 8_000_000}
    m = model(audio, audio, DONE, after(1), close_frame(1000), FIN)
    g = serve(m)
    before = g.memory()
    s = Session(g.port, receive_buffer=65536)
    time.sleep(0.5)
    assert g.memory() - before < 6_000_000
    assert s.event() == audio
    assert s.event() == audio
    assert s.event() == DONE
    s.send(struct.pack(">H", 1000), CLOSE)
    assert s.closed_with() == 1000
    s.connection.close()
    assert g.access_log(1)[0]["output_tokens"] == 10


@pytest.mark.parametrize("end", [FIN, RST])
def test_an_upstream_that_breaks_off_is_told_to_the_client(model, serve, end):
    g = serve(model({"type": "session.created"}, after(1), end, reads=1))
    s = Session(g.port)
    s.event()
    s.send({"type": "response.create"})
    event = s.event()
    assert (event["type"], event["error"]["code"]) == ("error", "upstream_reset")
    assert s.closed_with() == 1011
    assert s.connection.ended()
    assert g.access_log(1)[0]["error"] == "upstream_reset"


def test_half_a_message_gets_a_close_but_no_event(model, serve):
    g = serve(model(frame("half", TEXT, False, False), after(1), FIN))
    s = Session(g.port)
    assert s.receive() == (False, TEXT, b"half")
    s.send("go")
    assert s.closed_with() == 1011


def test_half_a_frame_is_never_completed(model, serve):
    g = serve(model(frame("x" * 100, mask=False)[:50], after(1), FIN))
    s = Session(g.port)
    s.send("go")
    with pytest.raises(Truncated):
        s.receive()


def test_a_client_that_goes_takes_its_upstream_along(model, serve):
    m = model({"type": "session.created"}, until_the_end)
    g = serve(m)
    s = Session(g.port)
    s.event()
    s.connection.close()
    m.wait_frames(1)
    assert m.received == [(True, CLOSE, struct.pack(">H", 1001))]
    assert m.ended.wait(5)
    assert g.access_log(1)[0]["error"] == "client_gone"


BROKEN = {
    "unmasked": (frame("x", mask=False), 1002),
    "compressed": (bytes([0xC1]) + frame("x")[1:], 1002),
    "too big": (frame("x" * 2000)[:100], 1009),
    "too big in fragments": (frame("x" * 900, TEXT, False) + frame("x" * 900, 0), 1009),
}


@pytest.mark.parametrize("title", BROKEN)
def test_a_client_that_breaks_the_rules_is_told_so(model, serve, title):
    wire, code = BROKEN[title]
    m = model({"type": "session.created"}, until_the_end)
    g = serve(m, listener={"websocket_message_bytes": 1024})
    s = Session(g.port)
    s.event()
    s.connection.send(wire)
    assert s.closed_with() == code
    assert s.connection.ended()
    assert m.ended.wait(5)


def test_an_upstream_that_compresses_unasked_is_refused(model, serve):
    g = serve(model(headers=["Sec-WebSocket-Extensions: permessage-deflate"]))
    s = Session(g.port)
    assert s.response.status == 502


def test_a_caller_out_of_tokens_gets_no_further_response(model, serve):
    m = model(DONE, after(1), {"type": "response.created"}, DONE)
    g = serve(m, before=[{"quota": {"tokens_per_hour": 30}}])
    s = Session(g.port)
    assert s.event() == DONE
    s.send({"type": "response.create"})
    event = s.event()
    assert (event["type"], event["error"]["code"]) == ("error", "rate_limit_exceeded")
    assert s.closed_with() == 1008
    assert m.ended.wait(5)
    line = g.access_log(1)[0]
    assert (line["error"], line["input_tokens"], line["output_tokens"]) == ("rate_limit_exceeded", 20, 10)


def test_what_a_session_used_counts_while_it_goes_on(model, serve):
    m = model(DONE, until_the_end)
    g = serve(m, before=[{"quota": {"tokens_per_hour": 31}}])
    s = Session(g.port)
    assert s.event() == DONE
    with Connection(g.port) as other:
        response = other.ask("POST", "/v1/chat/completions", {"model": "m", "messages": [], "max_tokens": 10})
    assert response.status == 429
    assert response.header("x-ratelimit-remaining-tokens") == "1"
    s.connection.close()


def test_a_silent_session_ends(model, serve):
    m = model({"type": "session.created"}, until_the_end)
    g = serve(m, listener={"tunnel_idle_timeout": "300ms"})
    s = Session(g.port)
    s.event()
    assert s.closed_with() == 1001
    assert m.ended.wait(5)


def test_a_drain_ends_a_session_at_its_deadline(model, serve):
    m = model({"type": "session.created"}, until_the_end)
    g = serve(m, drain={"timeout": "1s"})
    s = Session(g.port)
    s.event()
    begin = time.monotonic()
    g.signal(signal.SIGTERM)
    assert s.closed_with() == 1001
    assert time.monotonic() - begin > 0.8
    s.connection.close()
    m.wait_frames(1)
    assert m.received[0][1:] == (CLOSE, struct.pack(">H", 1001))
    assert g.wait() == 0
    g.finish = lambda: None
