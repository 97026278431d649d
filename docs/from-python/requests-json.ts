import { post } from 'moorage/client'
import * as v from 'valibot'

const User = v.object({ id: v.number(), name: v.string(), tags: v.array(v.string()) })

const [url = 'http://127.0.0.1:8000'] = process.argv.slice(2)
const response = await post(`${url}/users`, { json: { name: 'Ann', tags: ['a', 'b'] }, timeoutMs: 10_000 })
const user = await response.json(User) // checked, and typed
console.log(user.id, user.name, user.tags.join(','))
