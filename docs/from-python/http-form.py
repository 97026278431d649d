import json
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs


class Form(BaseHTTPRequestHandler):
    def do_POST(self):
        length = int(self.headers["Content-Length"])  # a body in chunks has none, and is not read
        form = parse_qs(self.rfile.read(length).decode(), keep_blank_values=True)
        title = form.get("title", [""])[0]
        if title == "":
            self.send_error(400, "A title is missing")
            return
        body = json.dumps({"title": title, "tags": form.get("tag", [])}, separators=(",", ":")).encode()
        self.send_response(201)
        self.send_header("Content-Type", "application/json")
        self.send_header("Location", "/notes/1")
        self.end_headers()
        self.wfile.write(body)


with HTTPServer(("127.0.0.1", int(sys.argv[1])), Form) as server:
    print("listening on http://%s:%d" % server.server_address, flush=True)
    server.serve_forever()
