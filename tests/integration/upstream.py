"""An upstream that plays a script: exactly these bytes, at these times, ended in this way."""
import collections
import dataclasses
import socket
import struct
import threading
import time

FIN = "fin"  # end the connection in an orderly way
RST = "rst"  # end it rudely


@dataclasses.dataclass
class Received:
    """A request as it arrived, head and body as they stood on the wire."""

    head: bytes
    body: bytes
    connection: int

    @property
    def line(self):
        return self.head.split(b"\r\n", 1)[0].decode("latin-1")

    def header(self, name):
        values = self.all(name)
        return values[0] if values else None

    def all(self, name):
        fields = [f.split(":", 1) for f in self.head.decode("latin-1").split("\r\n")[1:]]
        return [value.strip() for n, value in fields if n.lower() == name.lower()]


class ScriptedUpstream:
    """Answers each request with the next script of `scripts`, then with `otherwise`.

    A script is a list of steps: bytes are sent, a number is a pause in seconds, a threading.Event is waited for,
    FIN and RST end the connection. Without one of these the connection stays open for the next request.
    """

    def __init__(self, *scripts, otherwise=None):
        self.scripts = collections.deque(scripts)
        self.otherwise = otherwise if otherwise is not None else [answer(b"{}")]
        self.requests = []
        self.connections = 0
        self.gone = []  # when clients left before their script was over: time.monotonic()
        self.changed = threading.Condition()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = self.listener.getsockname()[1]
        self.open = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        # A blocked accept() keeps a listener alive that is only closed.
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()
        for connection in list(self.open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def wait_for(self, condition, within=10):
        """Waits until condition(self) holds; whether it does."""
        with self.changed:
            return self.changed.wait_for(lambda: condition(self), within)

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection, self.connections), daemon=True).start()

    def _serve(self, connection, number):
        self.open.add(connection)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            with connection:
                buffer = b""
                while True:
                    request, buffer = self._receive(connection, buffer, number)
                    with self.changed:
                        self.requests.append(request)
                        script = self.scripts.popleft() if self.scripts else self.otherwise
                        self.changed.notify_all()
                    if not self._play(connection, script):
                        return
        except (OSError, EOFError):
            pass
        finally:
            self.open.discard(connection)

    def _play(self, connection, script):
        for step in script:
            if step == FIN:
                connection.shutdown(socket.SHUT_WR)
                return False
            if step == RST:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return False
            if isinstance(step, bytes):
                connection.sendall(step)
            elif self._left_during(connection, step):
                with self.changed:
                    self.gone.append(time.monotonic())
                    self.changed.notify_all()
                return False
        return True

    def _left_during(self, connection, pause):
        """Waits for the pause or the event; true at once when the client leaves meanwhile."""
        until = None if isinstance(pause, threading.Event) else time.monotonic() + pause
        connection.settimeout(0.005)
        try:
            while not (pause.is_set() if until is None else time.monotonic() >= until):
                try:
                    if connection.recv(1, socket.MSG_PEEK) == b"":
                        return True
                    time.sleep(0.005)  # bytes wait: the next request
                except TimeoutError:
                    pass
                except OSError:
                    return True
            return False
        finally:
            connection.settimeout(None)

    def _receive(self, connection, buffer, number):
        while b"\r\n\r\n" not in buffer:
            buffer += self._some(connection)
        head, buffer = buffer.split(b"\r\n\r\n", 1)
        request = Received(head, b"", number)
        if "chunked" in (request.header("transfer-encoding") or ""):
            while not (buffer.startswith(b"0\r\n\r\n") or b"\r\n0\r\n\r\n" in buffer):
                buffer += self._some(connection)
            request.body, buffer = buffer, b""
            return request, buffer
        length = int(request.header("content-length") or 0)
        while len(buffer) < length:
            buffer += self._some(connection)
        request.body = buffer[:length]
        return request, buffer[length:]

    @staticmethod
    def _some(connection):
        data = connection.recv(65536)
        if not data:
            raise EOFError
        return data


def answer(body, status="200 OK", headers=(), content_type="application/json"):
    """A response with Content-Length."""
    body = body if isinstance(body, bytes) else body.encode()
    head = f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n"
    return (head + "".join(f"{h}\r\n" for h in headers) + "\r\n").encode("latin-1") + body


STREAM_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
STREAM_END = b"0\r\n\r\n"


def chunk(data):
    data = data if isinstance(data, bytes) else data.encode()
    return b"%x\r\n%s\r\n" % (len(data), data)


def event(text, more=""):
    """A chunk that holds one event of a chat completion."""
    return chunk('data: {"choices":[{"index":0,"delta":{"content":"%s"},"finish_reason":null}]%s}\n\n' % (text, more))
