import asyncio
import ssl
import sys

port, cert, key = sys.argv[1:]
context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
context.load_cert_chain(cert, key)


async def talk(reader, writer):
    if await reader.readline() != b"STARTTLS\n":
        writer.write(b"encrypted only\n")
    else:
        writer.write(b"go\n")
        await writer.drain()
        await writer.start_tls(context)
        while line := await reader.readline():
            writer.write(line.upper())
            await writer.drain()
    writer.close()


async def main():
    server = await asyncio.start_server(talk, "127.0.0.1", int(port))
    print("listening on tcp://%s:%d" % server.sockets[0].getsockname(), flush=True)
    await server.serve_forever()


asyncio.run(main())
