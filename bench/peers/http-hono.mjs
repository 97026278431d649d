import { serve } from '@hono/node-server'
import { Hono } from 'hono'

const app = new Hono()
app.get('/', (context) => context.text('Hello, world!\n'))
app.get('/json', (context) => context.json({ agent: context.req.header('user-agent') ?? '', hello: 'world' }))
serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 }, ({ port }) => console.log(port))
