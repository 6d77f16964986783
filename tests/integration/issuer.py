"""A token endpoint (RFC 6749 section 3.2) that grants what a test lets it grant."""
import http.server
import json
import threading
import urllib.parse


class TokenIssuer:
    """Answers each POST with `grant(form)`: a dictionary is the reply, an exception is refused with 400."""

    def __init__(self, grant):
        self.forms = []
        issuer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                form = dict(urllib.parse.parse_qsl(body, strict_parsing=True))
                issuer.forms.append(form)
                try:
                    assert self.headers["Content-Type"] == "application/x-www-form-urlencoded"
                    status, reply = 200, grant(form)
                except Exception as problem:  # whatever is wrong with the request: the test sees it in the reply
                    status, reply = 400, {"error": "invalid_grant", "error_description": repr(problem)}
                text = json.dumps(reply).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/token"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
