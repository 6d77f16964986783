"""A client that sees everything: bytes as they stand on the socket, and how a response ended."""
import json
import socket
import struct
import time

TIMEOUT = 20


class Truncated(Exception):
    """The connection ended before the message did."""


class Connection:
    """One client connection. What it sends is what the test says, byte for byte."""

    def __init__(self, port, tls=None, server_name="localhost", timeout=TIMEOUT, receive_buffer=None, host="127.0.0.1"):
        plain = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if receive_buffer:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        plain.settimeout(timeout)
        plain.connect((host, port))
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = tls.wrap_socket(plain, server_hostname=server_name) if tls else plain
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def send(self, data):
        self.socket.sendall(data if isinstance(data, bytes) else data.encode())
        return self

    def send_slowly(self, data, pause):
        """One byte at a time; stops early when the other side ends the connection. How many were sent."""
        for i, byte in enumerate(data):
            try:
                self.socket.sendall(bytes([byte]))
            except OSError:
                return i
            time.sleep(pause)
        return len(data)

    def request(self, method, path, body=None, headers=None, key="sk-test"):
        """Sends a whole request; `body` as JSON unless it is bytes."""
        self.send(render_request(method, path, body, headers, key))
        return self

    def ask(self, method, path, body=None, headers=None, key="sk-test"):
        """A request and its response, with the body read."""
        response = self.request(method, path, body, headers, key).response(method)
        response.read()
        return response

    def response(self, method="POST"):
        """The next response: its head is read, its body not yet."""
        return Response(self, method)

    def fill(self):
        """More bytes into the buffer; False at the end of the connection."""
        try:
            data = self.socket.recv(65536)
        except (ConnectionResetError, BrokenPipeError):
            data = b""
        self.buffer += data
        return bool(data)

    def take_until(self, mark):
        while mark not in self.buffer:
            if not self.fill():
                raise Truncated(f"the connection ended after {self.buffer[-200:]!r}")
        taken, self.buffer = self.buffer.split(mark, 1)
        return taken

    def take(self, size):
        while len(self.buffer) < size:
            if not self.fill():
                raise Truncated(f"the connection ended {size - len(self.buffer)} bytes early")
        taken, self.buffer = self.buffer[:size], self.buffer[size:]
        return taken

    def rest(self):
        """Everything until the connection ends."""
        while self.fill():
            pass
        taken, self.buffer = self.buffer, b""
        return taken

    def ended(self, within=5):
        """Whether the other side ends the connection, without saying more."""
        self.socket.settimeout(within)
        try:
            return self.socket.recv(1) == b""
        except ConnectionResetError:
            return True
        except TimeoutError:
            return False
        finally:
            self.socket.settimeout(TIMEOUT)

    def reset(self):
        """Goes away rudely: RST in place of FIN."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def close(self):
        self.socket.close()


class Response:
    """A response as it came. `truncated` tells whether its body ended where its framing says."""

    def __init__(self, connection, method):
        self.connection = connection
        head = connection.take_until(b"\r\n\r\n").decode("latin-1")
        line, *fields = head.split("\r\n")
        self.head = head
        self.status = int(line.split(" ", 2)[1])
        self.headers = [tuple(part.strip() for part in field.split(":", 1)) for field in fields]
        self.body = b""
        self.truncated = False
        self.bodiless = method == "HEAD" or self.status in (204, 304) or self.status < 200

    def header(self, name, default=None):
        for n, value in self.headers:
            if n.lower() == name.lower():
                return value
        return default

    def all(self, name):
        return [value for n, value in self.headers if n.lower() == name.lower()]

    def pieces(self):
        """The body, piece by piece as it arrives. Ends early, with `truncated` set, where the connection did."""
        if self.bodiless:
            return
        try:
            if "chunked" in self.header("transfer-encoding", ""):
                yield from self._chunks()
            elif self.header("content-length") is not None:
                yield from self._length(int(self.header("content-length")))
            else:
                rest = self.connection.rest()
                self.body += rest
                yield rest
        except Truncated:
            self.truncated = True

    def _chunks(self):
        while True:
            size = int(self.connection.take_until(b"\r\n").split(b";")[0], 16)
            if size == 0:
                self.connection.take_until(b"\r\n")
                return
            data = self.connection.take(size)
            self.connection.take(2)
            self.body += data
            yield data

    def _length(self, left):
        while left:
            if not self.connection.buffer and not self.connection.fill():
                raise Truncated("short body")
            data = self.connection.take(min(left, len(self.connection.buffer)))
            left -= len(data)
            self.body += data
            yield data

    def read(self):
        for _ in self.pieces():
            pass
        return self.body

    def json(self):
        self.body or self.read()
        return json.loads(self.body)

    def events(self):
        """The data of each server-sent event, as it arrives."""
        text = b""
        for piece in self.pieces():
            text += piece
            while b"\n\n" in text:
                event, text = text.split(b"\n\n", 1)
                data = [line[5:].lstrip() for line in event.split(b"\n") if line.startswith(b"data:")]
                if data:
                    yield b"\n".join(data).decode()


def render_request(method, path, body=None, headers=None, key="sk-test"):
    fields = {"Host": "gateway.test"}
    if key:
        fields["Authorization"] = f"Bearer {key}"
    if body is not None and not isinstance(body, bytes):
        body = json.dumps(body).encode()
        fields["Content-Type"] = "application/json"
    if body is not None:
        fields["Content-Length"] = str(len(body))
    fields.update(headers or {})
    head = f"{method} {path} HTTP/1.1\r\n" + "".join(f"{n}: {v}\r\n" for n, v in fields.items() if v is not None)
    return head.encode("latin-1") + b"\r\n" + (body or b"")


def chat(content="hello", **more):
    """The body of a chat completion."""
    return {"model": "m", "messages": [{"role": "user", "content": content}], **more}


def text_of(events):
    """What a streamed chat completion said."""
    said = ""
    for event in events:
        if event == "[DONE]":
            continue
        for choice in json.loads(event).get("choices", []):
            said += choice["delta"].get("content") or ""
    return said
