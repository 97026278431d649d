import sys
from http.server import BaseHTTPRequestHandler, HTTPServer


class Picky(BaseHTTPRequestHandler):
    error_message_format = "%(code)d: %(message)s\n"
    error_content_type = "text/plain; charset=utf-8"

    def do_GET(self):
        if self.path == "/tea":
            self.send_error(418, "I am a teapot")
        elif self.path == "/broken":
            try:
                raise ValueError("a secret")
            except ValueError:
                self.send_error(500, "That is our fault")
        else:
            self.send_error(404, "There is nothing here")


with HTTPServer(("127.0.0.1", int(sys.argv[1])), Picky) as server:
    print("listening on http://%s:%d" % server.server_address, flush=True)
    server.serve_forever()
