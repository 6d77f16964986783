"""A model server that speaks HTTP/2 without TLS (h2c), on the h2 package: what it does is said by the header `x-do`."""
import asyncio
import collections
import json
import threading
import time

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2 import events
from h2.exceptions import ProtocolError, StreamClosedError
from h2.settings import SettingCodes


def answer(text):
    return json.dumps({"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [
        {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}}).encode()


def chunk(text=None, **more):
    choice = {"index": 0, "delta": {"content": text} if text is not None else {}, "finish_reason": None, **more}
    return b"data: " + json.dumps({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}).encode() + b"\n\n"


class H2Server:
    def __init__(self, streams_max=100, goaway_after=None):
        self.streams_max, self.goaway_after = streams_max, goaway_after
        self.connections = self.most_at_once = 0
        self.requests = []      # heads of chat requests, as dicts
        self.body_bytes = []    # of chat requests
        self.sent = collections.Counter()  # bytes of answers' bodies, by path
        self.cancelled = []     # times at which streams were reset by the gateway
        self.loop = asyncio.new_event_loop()
        ready = threading.Event()

        def run():
            asyncio.set_event_loop(self.loop)
            self.server = self.loop.run_until_complete(self.loop.create_server(lambda: Peer(self), "127.0.0.1", 0))
            self.port = self.server.sockets[0].getsockname()[1]
            ready.set()
            self.loop.run_forever()

        self.thread = threading.Thread(target=run, daemon=True)
        self.thread.start()
        ready.wait(10)

    def close(self):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)


class Peer(asyncio.Protocol):
    def __init__(self, server):
        self.server = server
        self.streams = {}   # id: head, with body
        self.windows = {}   # id: future of whoever waits for room
        self.served = 0

    def connection_made(self, transport):
        self.transport = transport
        self.server.connections += 1
        self.h2 = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
        self.h2.local_settings[SettingCodes.MAX_CONCURRENT_STREAMS] = self.server.streams_max
        self.h2.initiate_connection()
        self.flush()

    def flush(self):
        data = self.h2.data_to_send()
        if data and not self.transport.is_closing():
            self.transport.write(data)

    def data_received(self, data):
        try:
            happened = self.h2.receive_data(data)
        except ProtocolError:
            self.flush()
            return self.transport.close()
        for e in happened:
            if isinstance(e, events.RequestReceived):
                self.streams[e.stream_id] = {"head": dict(e.headers), "body": b"", "over": False}
                self.server.most_at_once = max(self.server.most_at_once, len(self.streams))
                if "early" in dict(e.headers).get("x-do", ""):
                    self.start(e.stream_id)
            elif isinstance(e, events.DataReceived):
                # What nobody wants any more counts at the connection, too.
                self.h2.acknowledge_received_data(e.flow_controlled_length, e.stream_id)
                if e.stream_id in self.streams:
                    self.streams[e.stream_id]["body"] += e.data
            elif isinstance(e, events.StreamEnded):
                self.start(e.stream_id)
            elif isinstance(e, events.StreamReset):
                self.server.cancelled.append(time.monotonic())
                self.forget(e.stream_id)
            elif isinstance(e, events.WindowUpdated):
                for waiting in list(self.windows.values()) if e.stream_id == 0 else [self.windows.get(e.stream_id)]:
                    if waiting and not waiting.done():
                        waiting.set_result(None)
        self.flush()

    def start(self, stream_id):
        if stream_id in self.streams and not self.streams[stream_id]["over"]:
            self.streams[stream_id]["over"] = True
            asyncio.ensure_future(self.reply(stream_id))

    def forget(self, stream_id):
        self.streams.pop(stream_id, None)
        waiting = self.windows.pop(stream_id, None)
        if waiting and not waiting.done():
            waiting.set_result(None)

    def head(self, stream_id, status=200, kind="application/json", last=False, **more):
        headers = [(":status", str(status)), ("content-type", kind), ("x-spoken", "h2"), *more.items()]
        self.h2.send_headers(stream_id, headers, end_stream=last)
        self.flush()

    async def body(self, stream_id, data, last=False):
        while data and stream_id in self.streams:
            room = min(self.h2.local_flow_control_window(stream_id), self.h2.max_outbound_frame_size)
            if room <= 0:
                self.windows[stream_id] = self.loop_future()
                await self.windows[stream_id]
                continue
            piece, data = data[:room], data[room:]
            self.h2.send_data(stream_id, piece)
            self.server.sent[self.streams[stream_id]["head"][":path"]] += len(piece)
            self.flush()
        if last and stream_id in self.streams:
            self.h2.end_stream(stream_id)
            self.flush()

    def loop_future(self):
        return self.server.loop.create_future()

    async def reply(self, stream_id):
        try:
            await self.serve(stream_id)
        except (ProtocolError, StreamClosedError, KeyError):
            pass
        self.forget(stream_id)

    async def serve(self, stream_id):
        stream = self.streams[stream_id]
        head, words = stream["head"], stream["head"].get("x-do", "").split(",")
        path = head[":path"]
        if not path.endswith("/chat/completions"):
            self.head(stream_id, 200 if path in ("/health", "/v1/models") else 404)
            return await self.body(stream_id, b'{"object":"list","data":[{"id":"m","object":"model"}]}', True)
        self.server.requests.append(head)
        self.server.body_bytes.append(len(stream["body"]))
        self.served += 1
        if self.server.goaway_after and self.served == self.server.goaway_after:
            # No more than those that are here; what is on its way was not looked at.
            self.h2.close_connection(last_stream_id=stream_id)
            self.h2.state_machine.state = type(self.h2.state_machine.state).CLIENT_OPEN  # and it serves on
            self.flush()
        if "early" in words:
            self.head(stream_id, 413)
            return await self.body(stream_id, b'{"error":{"message":"too large"}}', True)
        if "refuse" in words:
            self.h2.reset_stream(stream_id, ErrorCodes.REFUSED_STREAM)
            return self.flush()
        if "reset" in words:
            self.h2.reset_stream(stream_id, ErrorCodes.INTERNAL_ERROR)
            return self.flush()
        if "hang" in words:
            return await asyncio.sleep(30)
        for word in words:
            if word.startswith("wait="):
                await asyncio.sleep(float(word[5:]))
        if "short" in words:
            self.head(stream_id, **{"content-length": "1000"})
            return await self.body(stream_id, b"{}", True)
        if "large" in words:
            self.head(stream_id, 200)
            return await self.body(stream_id, answer("x" * 30_000_000), True)
        if b'"stream": true' not in stream["body"] and b'"stream":true' not in stream["body"]:
            self.head(stream_id)
            return await self.body(stream_id, answer("hello"), True)
        self.head(stream_id, 200, "text/event-stream")
        for i in range(10):
            await self.body(stream_id, chunk(f"w{i} "))
            if "break" in words and i == 4:
                self.h2.reset_stream(stream_id, ErrorCodes.INTERNAL_ERROR)
                return self.flush()
            await asyncio.sleep(0.3 if "slow" in words else 0.002)
        await self.body(stream_id, chunk(finish_reason="stop") + b"data: [DONE]\n\n")
        # With trailers, which end here.
        if stream_id in self.streams:
            self.h2.send_headers(stream_id, [("x-trailer", "1")], end_stream=True)
            self.flush()
