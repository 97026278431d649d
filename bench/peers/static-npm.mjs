// The npm packages that serve files: `node static-npm.mjs <package> <folder>`, each as its documentation begins.
import { createServer } from 'node:http'

const [name, folder] = process.argv.slice(2)

const SERVERS = {
  async sirv() {
    const { default: sirv } = await import('sirv')
    return createServer(sirv(folder))
  },
  async serve() {
    const { default: handler } = await import('serve-handler')
    return createServer((request, response) => handler(request, response, { public: folder }))
  },
  async 'http-server'() {
    const { default: httpServer } = await import('http-server')
    return httpServer.createServer({ root: folder }).server
  },
  async '@fastify/static'() {
    const [{ default: fastify }, { default: fastifyStatic }] = await Promise.all([
      import('fastify'),
      import('@fastify/static'),
    ])
    const app = fastify()
    app.register(fastifyStatic, { root: folder })
    await app.ready()
    return app.server
  },
}

const server = await SERVERS[name]()
server.listen({ host: '127.0.0.1', port: 0, backlog: 4096 }, () => console.log(server.address().port))
