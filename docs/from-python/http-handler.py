import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlsplit


class Hello(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # the default, HTTP/1.0, ends the connection after each answer

    def do_GET(self):
        url = urlsplit(self.path)
        if url.path != "/hello":
            self.send_error(404)
            return
        name = parse_qs(url.query).get("name", ["world"])[0]
        body = ("Hello, %s!\n" % name).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    do_HEAD = do_GET


with HTTPServer(("127.0.0.1", int(sys.argv[1])), Hello) as server:
    print("listening on http://%s:%d" % server.server_address, flush=True)
    server.serve_forever()
