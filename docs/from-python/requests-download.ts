import { Session } from 'moorage/client'

const [url = 'http://127.0.0.1:8000', path = 'large'] = process.argv.slice(2)
await using session = new Session()
const { bytes } = await session.download(`${url}/large`, path) // whole or not at all; goes on where it broke off
console.log(bytes)
