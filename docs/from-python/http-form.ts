import { HttpError, HttpHandler, json, serveHttp } from 'moorage/http'

class Notes extends HttpHandler {
  override async post() {
    const form = await this.request.formData() // urlencoded or multipart, however it is framed, up to a limit
    const title = form.text('title') ?? ''
    if (title === '') throw new HttpError(400, 'A title is missing')
    const tags = form.getAll('tag')
    return json({ title, tags }, { status: 201, headers: { Location: '/notes/1' } })
  }
}

const server = await serveHttp(`http://127.0.0.1:${process.argv[2] ?? 8000}`, Notes)
console.log(`listening on ${server.endpoint}`)
await server.serveForever()
