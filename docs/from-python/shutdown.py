import socketserver
import sys
import threading


class Stop(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            if line == b"stop\n":
                self.wfile.write(b"stopping\n")
                # In this thread it would wait for itself, for ever.
                threading.Thread(target=self.server.shutdown).start()
                return
            self.wfile.write(line)


class Server(socketserver.TCPServer):
    allow_reuse_address = True


with Server(("127.0.0.1", int(sys.argv[1])), Stop) as server:
    print("listening on tcp://%s:%d" % server.server_address, flush=True)
    server.serve_forever()
print("stopped", flush=True)
