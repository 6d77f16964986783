"""An endpoint picker (Envoy external processor) on grpcio with Envoy's own schema, that behaves as it is told.

The request header x-epp says how: a script of words, separated by commas; `picks=` names endpoints. Without it the picker
behaves like the reference one: it waits for the whole body, picks, rewrites the body in pieces and follows the reply.
"""
import json
import queue
import threading
import time
from concurrent import futures

import grpc
from envoy.service.ext_proc.v3 import external_processor_pb2 as pb
from envoy.type.v3 import http_status_pb2
from google.protobuf import struct_pb2

DESTINATION = "x-gateway-destination-endpoint"
SERVED = "x-gateway-destination-endpoint-served"


def headers_of(message):
    return {h.key: (h.raw_value.decode() or h.value) for h in message.headers.headers}


def set_header(response, key, value):
    option = response.header_mutation.set_headers.add()
    option.header.key, option.header.raw_value = key, value.encode()


def picked(endpoints, metadata=None):
    """The answer to request headers that picks these."""
    m = pb.ProcessingResponse()
    m.request_headers.response.clear_route_cache = True
    if endpoints is not None:
        set_header(m.request_headers.response, DESTINATION, ",".join(endpoints))
    if metadata is not None:
        m.dynamic_metadata["envoy.lb"] = {DESTINATION: ",".join(metadata)}
    return m


def body_part(data, last, kind="request_body"):
    m = pb.ProcessingResponse()
    part = getattr(m, kind).response.body_mutation.streamed_response
    part.body, part.end_of_stream = data, last
    return m


def immediate(status, headers=(), body=b""):
    m = pb.ProcessingResponse()
    m.immediate_response.status.code = status
    m.immediate_response.body = body
    for key, value in headers:
        option = m.immediate_response.headers.set_headers.add()
        option.header.key, option.header.raw_value = key, value.encode()
    return m


class Garbage(bytes):
    """Sent as it stands."""


class MockPicker:
    def __init__(self, endpoints, port=0, tls=None):
        self.endpoints = list(endpoints)  # "ip:port", what it picks when nobody says otherwise
        self.seen = []  # of each exchange: what came, in its order
        self.lock = threading.Lock()
        self.server = grpc.server(futures.ThreadPoolExecutor(64))
        process = grpc.stream_stream_rpc_method_handler(
            self.process, request_deserializer=pb.ProcessingRequest.FromString,
            response_serializer=lambda m: bytes(m) if isinstance(m, Garbage) else m.SerializeToString())
        self.server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(
            "envoy.service.ext_proc.v3.ExternalProcessor", {"Process": process})])
        if tls:
            credentials = grpc.ssl_server_credentials([tls])
            self.port = self.server.add_secure_port(f"127.0.0.1:{port}", credentials)
        else:
            self.port = self.server.add_insecure_port(f"127.0.0.1:{port}")
        self.server.start()

    def close(self):
        self.server.stop(0).wait(5)

    def process(self, requests, context):
        note = {"messages": [], "body": b"", "reply_body": b"", "first": None}
        with self.lock:
            self.seen.append(note)
        incoming = queue.Queue()

        def read():
            try:
                for m in requests:
                    incoming.put(m)
            except grpc.RpcError:
                pass
            incoming.put(None)

        threading.Thread(target=read, daemon=True).start()

        def receive():
            m = incoming.get(timeout=30)
            if m is not None:
                note["messages"].append(m.WhichOneof("request"))
                note["first"] = note["first"] or m
            return m

        head = receive()
        if head is None:
            return
        note["headers"] = headers_of(head.request_headers)
        words = [w for w in note["headers"].get("x-epp", "").split(",") if w]
        yield from self.request_phase(head, receive, note, words, context)
        if "leave-after-pick" in words or "leave" in words:
            return
        yield from self.reply_phase(receive, note, words, context)

    def request_phase(self, head, receive, note, words, context):
        endpoints = list(self.endpoints)
        for w in words:
            if w.startswith("picks="):
                endpoints = w[6:].split("+")
        if "test-epp-endpoint-selection" in note["headers"]:
            endpoints = [e for e in self.endpoints
                         if any(e == f or e.startswith(f + ":") for f in note["headers"]["test-epp-endpoint-selection"].split("+"))]
        if "leave" in words:
            return
        if "fail" in words:
            context.abort(grpc.StatusCode.INTERNAL, "no")
        if "hang-early" in words:
            time.sleep(3)
            return
        if "immediate-early" in words:
            yield immediate(429, [("x-llm-d-request-dropped-reason", "rejected-saturated")], b"busy")
            return
        last = head.request_headers.end_of_stream
        while not last:
            m = receive()
            if m is None:
                return
            note["body"] += m.request_body.body
            last = m.request_body.end_of_stream
            note["last"] = m
        if "hang" in words:
            time.sleep(3)
            return
        if "reset" in words:
            context.cancel()
            return
        if "garbage" in words:
            yield Garbage(b"\xff\xff\xff\xff\xff")
            return
        if "immediate" in words:
            yield immediate(403, [("content-type", "application/json")], b'{"error":{"message":"not you"}}')
            return
        if "body-first" in words:
            yield body_part(note["body"], True)
        if "empty" in words:
            for _ in range(100):
                yield pb.ProcessingResponse()
        both = "no-metadata" not in words
        if "differ" in words:
            yield picked(endpoints[:1], endpoints[1:2])
        elif "no-header" in words:
            yield picked(None, endpoints)
        elif "no-pick" in words:
            yield picked(None)
        else:
            m = picked(endpoints, endpoints if both else None)
            set_header(m.request_headers.response, "x-from-picker", "yes")
            set_header(m.request_headers.response, "host", "evil.example")
            set_header(m.request_headers.response, "x-prefiller-host-port", "10.0.0.9:1")
            set_header(m.request_headers.response, "content-length", "1")
            yield m
        if "header-only" in words or head.request_headers.end_of_stream:
            return
        if "leave-after-pick" in words and "half" in words:
            yield body_part(note["body"][:5], False)
            return
        if "as-it-came" in words:
            m = pb.ProcessingResponse()
            m.request_body.response.SetInParent()
            yield m
            return
        body = json.dumps({**json.loads(note["body"]), "picked": True}, sort_keys=True).encode() if "rewrite" in words else note["body"]
        size = 1 if "bytes" in words else 62000
        parts = [body[i:i + size] for i in range(0, len(body), size)] or [b""]
        for i, part in enumerate(parts):
            yield body_part(part, i + 1 == len(parts))
        if "twice" in words:
            yield body_part(b"", True)
        if "more" in words:
            yield body_part(b"more", True)
        if "immediate-late" in words:
            yield immediate(429, [("x-llm-d-request-dropped-reason", "evicted")], b"evicted")

    def reply_phase(self, receive, note, words, context):
        streams = False
        while True:
            m = receive()
            if m is None:
                return
            kind = m.WhichOneof("request")
            if kind == "response_headers":
                note["reply_headers"] = headers_of(m.response_headers)
                served = m.metadata_context.filter_metadata["envoy.lb"].fields[SERVED].string_value
                note["served"] = served
                streams = "text/event-stream" in note["reply_headers"].get("content-type", "")
                if "reply-hang" in words:
                    time.sleep(3)
                    return
                if "reply-denied" in words:
                    yield immediate(451, [], b"no")
                    return
                answer = pb.ProcessingResponse()
                set_header(answer.response_headers.response, "x-went-into-resp-headers", "true")
                set_header(answer.response_headers.response, "x-conformance-test-served-endpoint", served)
                yield answer
                if "reply-leave" in words:
                    return
            elif kind == "response_body":
                note["reply_body"] += m.response_body.body
                if "reply-fail" in words:
                    context.abort(grpc.StatusCode.INTERNAL, "no")
                if streams:
                    yield body_part(m.response_body.body, m.response_body.end_of_stream, "response_body")
                elif m.response_body.end_of_stream:
                    whole = note["reply_body"]
                    for i in range(0, len(whole), 62000):
                        yield body_part(whole[i:i + 62000], i + 62000 >= len(whole), "response_body")
                if m.response_body.end_of_stream:
                    return
