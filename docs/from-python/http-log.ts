import { HttpResponse, redirect, Routes, serveHttp, withAccessLog } from 'moorage/http'

const routes = new Routes()
  .get('/nothing', () => new HttpResponse(null, { status: 204 }))
  .get('/*rest', () => redirect('/nothing', { status: 303 }))

// formatAccess(entry, 'combined') is a line as other servers write it.
const logged = withAccessLog(routes, ({ remote, method, target, version, status }) =>
  console.log(`${remote} "${method} ${target} HTTP/${version}" ${status}`),
)
const server = await serveHttp(`http://127.0.0.1:${process.argv[2] ?? 8000}`, logged)
console.log(`listening on ${server.endpoint}`)
await server.serveForever()
