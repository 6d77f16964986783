"""An external processor on grpcio with Envoy's own schema, that behaves as a test's function says.

`behave(message, kind, note, context)` yields the answers to each message; without one each is let pass as it came.
"""
import threading
from concurrent import futures

import grpc
from envoy.service.ext_proc.v3 import external_processor_pb2 as pb

from mock_epp import Garbage, headers_of, immediate, set_header

__all__ = ["Garbage", "MockProcessor", "headers_of", "immediate", "passed", "pb", "set_header", "until_it_is_left"]


def passed(kind):
    """The answer that changes nothing."""
    m = pb.ProcessingResponse()
    getattr(m, kind).response.SetInParent()
    return m


def until_it_is_left(context):
    """Until the gateway ends the call."""
    left = threading.Event()
    if context.add_callback(left.set):
        left.wait(60)


class MockProcessor:
    def __init__(self, behave=None):
        self.behave = behave
        self.seen = []  # of each exchange: what came, in its order
        self.lock = threading.Lock()
        self.differing = []  # messages that Envoy's schema would write otherwise, as bytes
        self.server = grpc.server(futures.ThreadPoolExecutor(64), options=[("grpc.max_receive_message_length", 64 << 20)])
        process = grpc.stream_stream_rpc_method_handler(
            self.process, request_deserializer=self.read,
            response_serializer=lambda m: bytes(m) if isinstance(m, Garbage) else m.SerializeToString())
        self.server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(
            "envoy.service.ext_proc.v3.ExternalProcessor", {"Process": process})])
        self.port = self.server.add_insecure_port("127.0.0.1:0")
        self.server.start()

    def read(self, raw):
        m = pb.ProcessingRequest.FromString(raw)
        m.DiscardUnknownFields()
        if m.SerializeToString(deterministic=True) != raw:
            self.differing.append(raw)
        return m

    def close(self):
        self.server.stop(0).wait(5)

    def process(self, requests, context):
        note = {"kinds": [], "messages": [], "request_body": b"", "response_body": b"", "done": False}
        with self.lock:
            self.seen.append(note)
        try:
            for m in requests:
                kind = m.WhichOneof("request")
                note["kinds"].append(kind)
                note["messages"].append(m)
                if kind in ("request_headers", "response_headers"):
                    note[kind] = headers_of(getattr(m, kind))
                else:
                    note[kind] += getattr(m, kind).body
                if self.behave:
                    yield from self.behave(m, kind, note, context)
                else:
                    yield passed(kind)
        except grpc.RpcError:
            pass
        note["done"] = True
