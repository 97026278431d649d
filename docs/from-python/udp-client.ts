import { request } from 'moorage'

const { data } = await request(process.argv[2] ?? 'udp://127.0.0.1:9999', 'ping', { timeoutMs: 500, retries: 3 })
console.log(String(data))
